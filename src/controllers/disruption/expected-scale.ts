// How many pods the controllers of some pods ask for.
import { type ResourceRef, resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { getControllerOf, type InformerSource, type Lister } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject, type OwnerReference } from "../../machinery/index.ts";
import { type ScaleClient, UnknownKindError } from "../scale-client.ts";

interface Sized extends KubeObject {
  readonly spec?: { readonly replicas?: number | undefined } | undefined;
}

export class NoControllerError extends Error {
  readonly code = "NO_CONTROLLER";
}

export interface ExpectedScale {
  readonly expectedScale: number;
  /** Names of pods that nothing controls. */
  readonly unmanaged: readonly string[];
}

export class ScaleFinder {
  readonly #scales: ScaleClient;
  /** By `apiVersion/kind`: controllers whose size the informers know. */
  readonly #known: ReadonlyMap<string, Lister<Sized>>;

  /** `onAdded` is told the namespace of each controller that appears: pods may have come before it. */
  constructor(informers: InformerSource, scales: ScaleClient, onAdded: (namespace: string) => void) {
    this.#scales = scales;
    const lister = (resource: ResourceRef<Sized>) => {
      const informer = informers.informer(resource);
      informer.onChange({ added: ({ metadata }) => onAdded(metadata.namespace ?? "") });
      return informer.lister;
    };
    this.#known = new Map<string, Lister<Sized>>([
      ["v1/ReplicationController", lister(resources.replicationcontrollers)],
      ["apps/v1/ReplicaSet", lister(resources.replicasets as ResourceRef<Sized>)],
      ["apps/v1/Deployment", lister(resources.deployments as ResourceRef<Sized>)],
      ["apps/v1/StatefulSet", lister(resources.statefulsets as ResourceRef<Sized>)],
    ]);
  }

  /** Throws NoControllerError when a pod's controller is gone, or has no size. */
  async find(pods: readonly DeepReadonly<Pod>[], signal: AbortSignal): Promise<ExpectedScale> {
    const sizes = new Map<string, number>();
    const unmanaged: string[] = [];
    for (const pod of pods) {
      const owner = getControllerOf(pod);
      if (owner === undefined) {
        unmanaged.push(pod.metadata.name ?? "");
        continue;
      }
      const { namespace = "", name } = pod.metadata;
      const found = this.#knownSize(namespace, owner) ?? (await this.#scaleOf(namespace, owner, signal));
      if (found === undefined) throw new NoControllerError(`found no controllers for pod ${JSON.stringify(name)}`);
      sizes.set(found.uid, found.replicas);
    }
    return { expectedScale: [...sizes.values()].reduce((sum, size) => sum + size, 0), unmanaged };
  }

  /** A controller may be controlled in turn: the size of a Deployment's set is the Deployment's. */
  #knownSize(
    namespace: string,
    { apiVersion, kind, name, uid }: DeepReadonly<OwnerReference>,
  ): { uid: string; replicas: number } | undefined {
    const object = this.#known.get(`${apiVersion}/${kind}`)?.get(namespace, name);
    if (object === undefined || object.metadata.uid !== uid) return undefined;
    const owner = getControllerOf(object);
    const above = owner === undefined ? undefined : this.#knownSize(namespace, owner);
    return above ?? { uid, replicas: object.spec?.replicas ?? 1 };
  }

  async #scaleOf(namespace: string, owner: DeepReadonly<OwnerReference>, signal: AbortSignal) {
    try {
      const { metadata, spec } = await this.#scales.get(namespace, owner, signal);
      return metadata.uid === owner.uid ? { uid: owner.uid, replicas: spec?.replicas ?? 0 } : undefined;
    } catch (error) {
      if (isNotFound(error) || error instanceof UnknownKindError) return undefined;
      throw error;
    }
  }
}
