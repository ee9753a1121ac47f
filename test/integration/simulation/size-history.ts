// How large each ReplicaSet was asked to be of late: one that has just been told to shrink still has its pods.
import { resources } from "../../../src/api/index.ts";
import type { ReplicaSet } from "../../../src/api/types/apps/v1.ts";
import type { Cluster } from "../../../src/testing/index.ts";

export class SizeHistory {
  readonly #cluster: Cluster;
  /** By uid, oldest first: what was asked for, and from when. */
  readonly #sizes = new Map<string, { readonly atMs: number; readonly replicas: number }[]>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        for await (const events of this.#cluster.client.watch(resources.replicasets, { signal })) {
          for (const event of events) if (event.type !== "BOOKMARK") this.#note(event.object as ReplicaSet);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** The largest size that was asked for in the last `windowMs`. */
  largest(uid: string, windowMs: number): number {
    const sinceMs = this.#cluster.clock.now() - windowMs;
    const sizes = this.#sizes.get(uid) ?? [];
    return Math.max(
      0,
      ...sizes.filter((_, i) => (sizes[i + 1]?.atMs ?? Number.POSITIVE_INFINITY) >= sinceMs).map(({ replicas }) => replicas),
    );
  }

  #note({ metadata, spec }: ReplicaSet): void {
    const { uid = "" } = metadata;
    const sizes = this.#sizes.get(uid) ?? [];
    this.#sizes.set(uid, sizes);
    const replicas = spec?.replicas ?? 1;
    if (sizes.at(-1)?.replicas !== replicas) sizes.push({ atMs: this.#cluster.clock.now(), replicas });
  }
}
