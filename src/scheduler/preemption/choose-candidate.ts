// Which node's pods go, when several nodes would do.
import type { PodInfo } from "../cluster/pod-info.ts";
import type { Candidate, VictimSearch } from "./victims.ts";

/** Keeps sums of priorities apart whatever the signs: the lowest priority still counts as more than none. */
const PRIORITY_OFFSET = 2 ** 31;

/**
 * The fewest broken budgets, then the lowest priority of the first victim, the lowest sum of priorities, the fewest
 * victims, and the one whose most important victims started last.
 * @see upstream `pickOneNodeForPreemption`
 */
export function chooseCandidate(candidates: readonly Candidate[], startedAtMs: VictimSearch["startedAtMs"]): Candidate | undefined {
  const measures: readonly ((candidate: Candidate) => number)[] = [
    ({ violations }) => violations,
    ({ victims }) => victims[0]?.priority ?? 0,
    ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + PRIORITY_OFFSET, 0),
    ({ victims }) => victims.length,
    ({ victims }) => -earliestStart(victims, startedAtMs),
  ];
  let left = candidates;
  for (const measure of measures) {
    if (left.length <= 1) break;
    const values = left.map(measure);
    const least = values.reduce((a, b) => Math.min(a, b));
    left = left.filter((_, index) => values[index] === least);
  }
  return left[0];
}

/** Of the victims of the highest priority. */
function earliestStart(victims: readonly PodInfo[], startedAtMs: VictimSearch["startedAtMs"]): number {
  const highest = victims[0]?.priority;
  return victims
    .filter(({ priority }) => priority === highest)
    .reduce((least, pod) => Math.min(least, startedAtMs(pod)), Number.POSITIVE_INFINITY);
}
