// In a large cluster not every node that takes a pod is compared with the others: the search ends when it has found enough,
// and the next one goes on from there.

/** Clusters of fewer nodes are searched as a whole. */
const MIN_FEASIBLE_NODES = 100;
const MIN_PERCENTAGE = 5;
/** The golden section: steps of that part of a circle come near every place of it soon. */
const GOLDEN_SECTION = (Math.sqrt(5) - 1) / 2;

/**
 * How many nodes that take a pod are enough. `percentage` is percentageOfNodesToScore; 0 lets the size of the cluster decide.
 * @see kubernetes `pkg/scheduler/schedule_one.go`, numFeasibleNodesToFind
 */
export function feasibleNodesToFind(nodeCount: number, percentage: number): number {
  if (nodeCount < MIN_FEASIBLE_NODES) return nodeCount;
  const share = percentage > 0 ? percentage : Math.max(MIN_PERCENTAGE, Math.trunc(50 - nodeCount / 125));
  return Math.min(nodeCount, Math.max(MIN_FEASIBLE_NODES, Math.trunc((nodeCount * share) / 100)));
}

/**
 * Goes round through all places, each once in a round. Neighbours are often in the same zone, so it leaps.
 * DEVIATION: upstream takes a node of each zone in turn; leaps are as even, for whatever nodes have in common.
 */
export class RoundWalk {
  #size = 0;
  #step = 1;
  #place = 0;

  /** How many places there are; a walk of the same size goes on where it was. */
  resize(size: number): void {
    if (size === this.#size) return;
    this.#size = size;
    this.#place = 0;
    this.#step = Math.max(1, Math.round(size * GOLDEN_SECTION));
    while (size > 1 && greatestCommonDivisor(size, this.#step) > 1) this.#step++;
  }

  next(): number {
    const place = this.#place;
    this.#place = (place + this.#step) % this.#size;
    return place;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
