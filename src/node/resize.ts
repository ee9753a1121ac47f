// Whether the node has room for a pod's new resources. Pure.
import type { PodObject } from "./pod/pod-object.ts";
import type { PendingResize } from "./pod/pod-view.ts";
import { amounts, podRequests } from "./resources/pod-resources.ts";

/**
 * Why `pod` cannot have the resources of its specification beside the `others`; undefined when it can. Deferred means
 * that there may be room later.
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#pod-resize-status
 */
export function judgeResize(
  pod: PodObject,
  others: readonly PodObject[],
  allocatable: Readonly<Record<string, string>>,
): PendingResize | undefined {
  const capacity = amounts(allocatable);
  const requested = podRequests(pod);
  for (const name of ["cpu", "memory"]) {
    const request = requested.get(name) ?? 0;
    const total = capacity.get(name) ?? 0;
    if (request > total) {
      const message = `Node didn't have enough capacity: ${name}, requested: ${request}, capacity: ${total}`;
      return { reason: "Infeasible", message };
    }
  }
  for (const name of ["cpu", "memory"]) {
    const request = requested.get(name) ?? 0;
    const total = capacity.get(name) ?? 0;
    const used = others.reduce((sum, other) => sum + (podRequests(other).get(name) ?? 0), 0);
    if (used + request > total) {
      const message = `Node didn't have enough resource: ${name}, requested: ${request}, used: ${used}, capacity: ${total}`;
      return { reason: "Deferred", message };
    }
  }
  return undefined;
}
