// The garbage collector's writes. Each is guarded by uid and resourceVersion: what was decided on an old copy is a
// conflict, and is decided anew.
import { retryOnConflict } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject, type OwnerReference } from "../../machinery/index.ts";
import type { ControllerContext } from "../controller.ts";
import type { GraphNode, Place } from "./owner-graph.ts";

/** Dependents that are orphaned at the same time. */
const PARALLEL_ORPHANINGS = 20;

export class GarbageWrites {
  readonly #context: Pick<ControllerContext, "client" | "clock" | "random">;

  constructor(context: Pick<ControllerContext, "client" | "clock" | "random">) {
    this.#context = context;
  }

  async delete(place: Place, object: DeepReadonly<KubeObject>, policy: string, signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const options = { preconditions: { uid, resourceVersion }, propagationPolicy: policy };
    await gone(this.#context.client.delete(place.resource, place.name, { namespace: place.namespace, signal, options }));
  }

  /** Puts `change`d owner references on the object; answers it as it is then, undefined when it is gone. */
  async changeOwners(
    place: Place,
    { metadata }: DeepReadonly<KubeObject>,
    change: (owners: readonly DeepReadonly<OwnerReference>[]) => readonly DeepReadonly<OwnerReference>[],
    signal: AbortSignal,
  ): Promise<DeepReadonly<KubeObject> | undefined> {
    const owners = change(metadata.ownerReferences ?? []);
    return this.#patch(place, metadata, { ownerReferences: owners.length === 0 ? null : owners }, signal);
  }

  /** Removes `finalizer`, which may be gone already, as may the object. */
  async removeFinalizer({ uid, place }: GraphNode, finalizer: string, signal: AbortSignal): Promise<void> {
    await this.#changeLive(place, uid, signal, async (at, { metadata }) => {
      const finalizers = metadata.finalizers ?? [];
      const others = finalizers.filter((each) => each !== finalizer);
      if (others.length < finalizers.length) await this.#patch(at, metadata, { finalizers: others }, signal);
    });
  }

  /** Takes the references to `owner` from all its dependents; throws the first failure after trying all. */
  async orphanDependents(owner: GraphNode, signal: AbortSignal): Promise<void> {
    const dependents = [...owner.dependents];
    let next = 0;
    let failure: { readonly error: unknown } | undefined;
    const work = async () => {
      for (let dependent = dependents[next++]; dependent !== undefined; dependent = dependents[next++]) {
        await this.#orphan(dependent, owner.uid, signal).catch((error: unknown) => (failure ??= { error }));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_ORPHANINGS }, work));
    if (failure !== undefined) throw failure.error;
  }

  async #orphan({ uid, place }: GraphNode, ownerUid: string, signal: AbortSignal): Promise<void> {
    await this.#changeLive(place, uid, signal, async (at, object) => {
      if (!object.metadata.ownerReferences?.some((reference) => reference.uid === ownerUid)) return;
      await this.changeOwners(at, object, (owners) => owners.filter((reference) => reference.uid !== ownerUid), signal);
    });
  }

  /** Runs `change` on the newest state of an object, again when someone else was faster; not when it is gone. */
  async #changeLive(
    place: Place | undefined,
    uid: string,
    signal: AbortSignal,
    change: (place: Place, object: DeepReadonly<KubeObject>) => Promise<void>,
  ): Promise<void> {
    if (place === undefined) return;
    const { client, clock, random } = this.#context;
    const attempt = async () => {
      const live = await gone(client.get(place.resource, place.name, { namespace: place.namespace, signal }));
      if (live?.metadata.uid === uid) await change(place, live);
    };
    await retryOnConflict(attempt, { clock, random, signal });
  }

  #patch(
    { resource, namespace, name }: Place,
    { uid, resourceVersion }: DeepReadonly<KubeObject>["metadata"],
    metadata: object,
    signal: AbortSignal,
  ): Promise<DeepReadonly<KubeObject> | undefined> {
    const body = { metadata: { uid, resourceVersion, ...metadata } };
    return gone(this.#context.client.patch(resource, name, body, { type: "application/merge-patch+json", namespace, signal }));
  }
}

/** What `call` answers; undefined when the object is not there. */
async function gone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
