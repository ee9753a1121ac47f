// How large each ReplicaSet was asked to be, and how many pods it had, moment by moment: one that has just been told to
// shrink still has its pods, but at no moment may there be more than it has lately been asked for.
import { isPodTerminal, type ResourceRef, resources } from "../../../src/api/index.ts";
import { getControllerOf } from "../../../src/client/index.ts";
import type { DeepReadonly, KubeObject } from "../../../src/machinery/index.ts";
import type { Cluster } from "../../../src/testing/index.ts";

interface Size {
  readonly atMs: number;
  readonly count: number;
}

/** In this time a set has seen that it is to shrink, and its pods are told to go, over the slowest network. */
const REACTION_MS = 5000;

export class SizeHistory {
  readonly #cluster: Cluster;
  /** By the set's uid, oldest first: what was asked for, and from when. */
  readonly #asked = new Map<string, Size[]>();
  /** The same for the pods that there were, since the last check. */
  readonly #counted = new Map<string, Size[]>();
  readonly #pods = new Map<string, Set<string>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const sets = this.#follow(resources.replicasets, signal, ({ metadata, spec }) =>
      add(this.#asked, metadata.uid, this.#size(spec?.replicas ?? 1)),
    );
    const pods = this.#follow(resources.pods, signal, (pod, isGone) => {
      const owner = getControllerOf(pod);
      if (owner?.kind !== "ReplicaSet") return;
      const active = this.#pods.get(owner.uid) ?? new Set();
      this.#pods.set(owner.uid, active);
      const { uid = "", deletionTimestamp } = pod.metadata;
      if (isGone || deletionTimestamp !== undefined || isPodTerminal(pod)) active.delete(uid);
      else active.add(uid);
      add(this.#counted, owner.uid, this.#size(active.size));
    });
    await Promise.all([sets, pods]);
  }

  /** Sets that had more pods than they had lately been asked for, since the last call. */
  takeProblems(): string[] {
    const problems: string[] = [];
    for (const [uid, counts] of this.#counted) {
      const worst = counts.find(({ atMs, count }) => count > this.#largest(uid, atMs));
      if (worst !== undefined) problems.push(`replica set ${uid} had ${worst.count} pods instead of ${this.#largest(uid, worst.atMs)}`);
    }
    this.#counted.clear();
    return problems;
  }

  #largest(uid: string, atMs: number): number {
    const asked = this.#asked.get(uid) ?? [];
    const isRecent = (_: Size, i: number) => (asked[i + 1]?.atMs ?? Number.POSITIVE_INFINITY) >= atMs - REACTION_MS;
    return Math.max(0, ...asked.filter(isRecent).map(({ count }) => count));
  }

  #size(count: number): Size {
    return { atMs: this.#cluster.clock.now(), count };
  }

  async #follow<T extends KubeObject>(
    resource: ResourceRef<T>,
    signal: AbortSignal,
    see: (object: DeepReadonly<T>, isGone: boolean) => void,
  ): Promise<void> {
    try {
      while (!signal.aborted) {
        for await (const events of this.#cluster.client.watch(resource, { signal })) {
          for (const event of events) if (event.type !== "BOOKMARK") see(event.object, event.type === "DELETED");
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function add(sizes: Map<string, Size[]>, uid = "", size: Size): void {
  const known = sizes.get(uid);
  if (known === undefined) sizes.set(uid, [size]);
  else if (known.at(-1)?.count !== size.count) known.push(size);
}
