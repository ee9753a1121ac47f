import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/types/core/v1.ts";
import { notFound } from "../../machinery/index.ts";
import { SimulatedVolumeManager } from "./simulated-volume-manager.ts";
import { VolumeError } from "./volume-manager.ts";

const missing = (resource: string) => (_namespace: string, name: string) => Promise.reject(notFound({ group: "", resource }, name));

describe("SimulatedVolumeManager", () => {
  const objects = {
    configMap: missing("configmaps"),
    secret: missing("secrets"),
    claim: missing("persistentvolumeclaims"),
    volume: missing("persistentvolumes").bind(undefined, ""),
  };
  const podWith = (volume: object): Pod => ({ metadata: { uid: "u" }, spec: { containers: [], volumes: [{ name: "v", ...volume }] } });

  it("mounts nothing and remembers the pod until it is unmounted", async () => {
    const manager = new SimulatedVolumeManager(objects);
    assert.deepEqual([...(await manager.mountPod(podWith({ configMap: { name: "c", optional: true } })))], [["v", "/simulated/u/v"]]);
    assert.deepEqual(await manager.listPods(), ["u"]);
    await manager.unmountPod("u");
    assert.deepEqual(await manager.listPods(), []);
  });

  it("fails a volume whose object is missing", async () => {
    const mounted = new SimulatedVolumeManager(objects).mountPod(podWith({ secret: { secretName: "s" } }));
    await assert.rejects(mounted, (error) => error instanceof VolumeError && error.message === 'secrets "s" not found');
  });
});
