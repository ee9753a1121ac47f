// What is remembered of a pod beside its object and what the runtime tells.
import type { RuntimePod } from "../runtime/runtime.ts";
import type { Resources } from "./allocation.ts";
import { type PodObject, podUid } from "./pod-object.ts";
import type { StartFailure } from "./pod-view.ts";
import type { RestartBackoff } from "./restart-backoff.ts";

/** What a pod worker remembers between steps, beside what object and runtime say. */
export interface PodMemory {
  pod: PodObject;
  runtime: RuntimePod;
  /** Host paths by volume name, once the volumes are set up. */
  volumePaths: ReadonlyMap<string, string> | undefined;
  cgroupParent: string;
  /** Of the resources of the pod as a whole, those that its group has; undefined while nobody knows. */
  groupResources: Resources | undefined;
  /** Ids of sandboxes that were stopped. */
  readonly stopped: Set<string>;
  readonly backoffs: Map<string, RestartBackoff>;
  readonly failures: Map<string, StartFailure>;
  /** Resources that containers were given after they were made, by container id. */
  readonly resized: Map<string, Resources>;
}

/** Of a pod of which nothing has begun. */
export function emptyMemory(pod: PodObject): PodMemory {
  const { name = "", namespace = "" } = pod.metadata;
  return {
    pod,
    runtime: { uid: podUid(pod), name, namespace, sandboxes: [], containers: [] },
    volumePaths: undefined,
    cgroupParent: "",
    groupResources: undefined,
    stopped: new Set(),
    backoffs: new Map(),
    failures: new Map(),
    resized: new Map(),
  };
}
