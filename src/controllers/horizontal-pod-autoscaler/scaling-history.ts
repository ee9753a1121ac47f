// What an autoscaler has recommended and done of late, from which stabilisation and rates follow.

export interface ScalingHistory {
  /** Oldest first. */
  readonly recommendations: readonly { readonly atMs: number; readonly replicas: number }[];
  /** Changes of the size, positive when up. */
  readonly changes: readonly { readonly atMs: number; readonly by: number }[];
}

export const NO_HISTORY: ScalingHistory = { recommendations: [], changes: [] };

/** The longest window and the longest period that the API allows. */
const KEPT_MS = 3600 * 1000;

/** With one more recommendation, and without what nobody will ask for any more. */
export function withRecommendation(history: ScalingHistory, replicas: number, nowMs: number): ScalingHistory {
  const recommendations = [...history.recommendations.filter(({ atMs }) => nowMs - atMs <= KEPT_MS), { atMs: nowMs, replicas }];
  return { ...history, recommendations };
}

export function withChange(history: ScalingHistory, by: number, nowMs: number): ScalingHistory {
  return { ...history, changes: [...history.changes.filter(({ atMs }) => nowMs - atMs <= KEPT_MS), { atMs: nowMs, by }] };
}

/** The size at the start of the period that ends now. */
export function sizeBefore({ changes }: ScalingHistory, current: number, periodMs: number, nowMs: number): number {
  return changes.filter(({ atMs }) => atMs > nowMs - periodMs).reduce((size, { by }) => size - by, current);
}
