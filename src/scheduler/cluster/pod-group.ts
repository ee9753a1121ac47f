// Assigned pods with the same namespace and labels: selectors are asked once for all of them.
import type { Judged } from "./affinity-term.ts";
import type { PodCounter } from "./pod-counter.ts";

export interface PodGroup extends Judged {
  readonly key: string;
  readonly isTerminating: boolean;
  /** How many pods there are, by slot of the node. */
  readonly bySlot: Map<number, number>;
  /** All counters that count this group. */
  readonly counters: PodCounter[];
}

/** Changes the group's number of pods at a slot. */
export function addToGroup(group: PodGroup, slot: number, delta: number): void {
  const count = (group.bySlot.get(slot) ?? 0) + delta;
  if (count === 0) group.bySlot.delete(slot);
  else group.bySlot.set(slot, count);
}
