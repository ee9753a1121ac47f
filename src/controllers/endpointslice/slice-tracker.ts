// What the controller has written and its informer has not shown yet. While a service's slices are behind, planning from
// them would make the same slice twice.
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** Stands for a slice whose deletion is to be seen. */
const DELETED = Number.POSITIVE_INFINITY;

/** @see kubernetes `staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go` */
export class SliceTracker {
  /** By the service's key: the slices' uids with the generation that was written. */
  readonly #written = new Map<string, Map<string, number>>();

  wrote(serviceKey: string, { metadata }: DeepReadonly<EndpointSlice>): void {
    this.#set(serviceKey, metadata.uid, metadata.generation ?? 0);
  }

  deleted(serviceKey: string, { metadata }: DeepReadonly<EndpointSlice>): void {
    this.#set(serviceKey, metadata.uid, DELETED);
  }

  forget(serviceKey: string): void {
    this.#written.delete(serviceKey);
  }

  /** Whether `slices`, the informer's, lack something that was written. */
  isBehind(serviceKey: string, slices: readonly DeepReadonly<EndpointSlice>[]): boolean {
    const written = this.#written.get(serviceKey);
    if (written === undefined) return false;
    const seen = new Map(slices.map(({ metadata }) => [metadata.uid ?? "", metadata.generation ?? 0]));
    for (const [uid, generation] of written) {
      const seenGeneration = seen.get(uid);
      if (generation === DELETED ? seenGeneration !== undefined : seenGeneration === undefined || seenGeneration < generation) return true;
    }
    return false;
  }

  /** Whether the informer's slice is news and not what was written here. */
  isNews(serviceKey: string, { metadata }: DeepReadonly<EndpointSlice>): boolean {
    const generation = this.#written.get(serviceKey)?.get(metadata.uid ?? "");
    return generation === undefined || (metadata.generation ?? 0) > generation;
  }

  /** The informer has seen that a slice went; answers whether somebody else deleted it. */
  goneSeen(serviceKey: string, { metadata }: DeepReadonly<EndpointSlice>): boolean {
    const written = this.#written.get(serviceKey);
    const wasExpected = written?.get(metadata.uid ?? "") === DELETED;
    written?.delete(metadata.uid ?? "");
    return !wasExpected;
  }

  #set(serviceKey: string, uid = "", generation: number): void {
    let written = this.#written.get(serviceKey);
    if (written === undefined) this.#written.set(serviceKey, (written = new Map()));
    written.set(uid, generation);
  }
}
