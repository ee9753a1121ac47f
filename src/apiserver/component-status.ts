// ComponentStatus, a kind of old that `kubectl get componentstatuses` still shows: scheduler and controllers work in the
// server's own process, so they are as well as whoever answers.
import type { ComponentStatus } from "../api/types/core/v1.ts";
import type { Store } from "../storage/index.ts";
import type { ComputedSource } from "./registry/computed.ts";

/** Whether the store answers. */
export async function isReadable(store: Pick<Store, "currentRevision">): Promise<boolean> {
  try {
    await store.currentRevision();
    return true;
  } catch {
    return false;
  }
}

export function componentStatuses(store: Pick<Store, "currentRevision">): ComputedSource {
  return {
    objects: async ({ name }) => {
      const all = [
        status("controller-manager", true, "ok"),
        status("etcd-0", await isReadable(store), "ok"),
        status("scheduler", true, "ok"),
      ];
      return name === "" ? all : all.filter(({ metadata }) => metadata.name === name);
    },
  };
}

function status(name: string, isHealthy: boolean, message: string): ComponentStatus {
  const condition = isHealthy ? { type: "Healthy", status: "True", message } : { type: "Healthy", status: "False", error: "not readable" };
  return { kind: "ComponentStatus", apiVersion: "v1", metadata: { name }, conditions: [condition] };
}
