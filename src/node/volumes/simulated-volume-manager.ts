// Volumes of hollow nodes: nothing is mounted, but what a volume needs must be there, as on a real node.
import type { Pod, Volume } from "../../api/types/core/v1.ts";
import { type DeepReadonly, isNotFound } from "../../machinery/index.ts";
import { VolumeError, type VolumeManager, type VolumeObjects } from "./volume-manager.ts";

export class SimulatedVolumeManager implements VolumeManager {
  readonly #objects: VolumeObjects;
  readonly #pods = new Map<string, ReadonlyMap<string, string>>();

  constructor(objects: VolumeObjects) {
    this.#objects = objects;
  }

  async mountPod(pod: DeepReadonly<Pod>): Promise<ReadonlyMap<string, string>> {
    const { namespace = "", uid = "" } = pod.metadata;
    const known = this.#pods.get(uid);
    if (known !== undefined) return known;
    const volumes = pod.spec?.volumes ?? [];
    for (const volume of volumes) await this.#need(namespace, volume);
    const paths = new Map(volumes.map(({ name }) => [name, `/simulated/${uid}/${name}`]));
    this.#pods.set(uid, paths);
    return paths;
  }

  async subPath(pod: DeepReadonly<Pod>, volumeName: string, subPath: string): Promise<string> {
    return `/simulated/${pod.metadata.uid}/${volumeName}/${subPath}`;
  }

  async update(): Promise<void> {}

  async unmountPod(podUid: string): Promise<void> {
    this.#pods.delete(podUid);
  }

  async listPods(): Promise<readonly string[]> {
    return [...this.#pods.keys()];
  }

  async #need(namespace: string, { name, configMap, secret, persistentVolumeClaim }: DeepReadonly<Volume>): Promise<void> {
    try {
      if (configMap?.name !== undefined && configMap.optional !== true) await this.#objects.configMap(namespace, configMap.name);
      if (secret?.secretName !== undefined && secret.optional !== true) await this.#objects.secret(namespace, secret.secretName);
      if (persistentVolumeClaim !== undefined) await this.#objects.claim(namespace, persistentVolumeClaim.claimName);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      throw new VolumeError(name, error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}
