// Which pods end together when the machine is shut down, and how long they may take. Pure.
import type { PodObject } from "../pod/pod-object.ts";
import type { EndCause } from "../pod/pod-view.ts";

/** How long pods of this priority and above, up to the next period's, may take to end. */
export interface ShutdownPeriod {
  readonly priority: number;
  readonly graceMs: number;
}

export interface ShutdownGroup {
  readonly graceMs: number;
  readonly pods: readonly PodObject[];
}

/** What a pod's status says that ended with the machine. */
export const NODE_SHUTDOWN: EndCause = {
  phase: "Failed",
  reason: "Terminated",
  message: "Pod was terminated in response to imminent node shutdown.",
  isDisruption: true,
};

/** What a pod's status says that came too late. */
export const NODE_SHUTDOWN_REJECTION: EndCause = {
  phase: "Failed",
  reason: "NodeShutdown",
  message: "Pod was rejected as the node is shutting down.",
};

/**
 * The groups one after the other, the least important first; those without pods are left out. `periods` are sorted by
 * priority, and pods below the first belong to it.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#pod-priority-graceful-node-shutdown
 */
export function shutdownGroups(pods: readonly PodObject[], periods: readonly ShutdownPeriod[]): readonly ShutdownGroup[] {
  const byPeriod = Map.groupBy(pods, ({ spec }) => periods.findLast(({ priority }) => priority <= (spec?.priority ?? 0)) ?? periods[0]);
  return periods.flatMap((period) => {
    const group = byPeriod.get(period) ?? [];
    return group.length === 0 ? [] : [{ graceMs: period.graceMs, pods: group }];
  });
}

/** Seconds that a pod gets: its own grace, but no more than its group has. */
export function shutdownGraceSeconds(pod: PodObject, { graceMs }: ShutdownGroup): number {
  return Math.min(pod.spec?.terminationGracePeriodSeconds ?? 30, Math.floor(graceMs / 1000));
}
