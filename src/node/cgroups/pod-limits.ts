// What a pod's control group is given, from the pod's resources. Pure.
import { cpuQuota, cpuShares } from "../containers/linux-resources.ts";
import type { PodObject } from "../pod/pod-object.ts";
import { podLimit, podRequests, type QosClass, qosClass } from "../resources/pod-resources.ts";

export interface GroupLimits {
  readonly cpuShares: number;
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsLimit?: number;
}

/** The pod's limits: quota and memory only where every container has one. */
export function podLimits(pod: PodObject): GroupLimits {
  const memoryLimitBytes = podLimit(pod, "memory") ?? 0;
  return {
    cpuShares: cpuShares(podRequests(pod).get("cpu") ?? 0),
    ...cpuQuota(podLimit(pod, "cpu") ?? 0),
    ...(memoryLimitBytes > 0 ? { memoryLimitBytes } : {}),
  };
}

/** `/k8ts/kubepods/burstable/pod<uid>`; guaranteed pods stand beside the classes. */
export function podGroup(root: string, pod: { readonly uid: string; readonly qos: QosClass }): string {
  const parent = pod.qos === "Guaranteed" ? "" : `/${pod.qos.toLowerCase()}`;
  return `/${root}/kubepods${parent}/pod${pod.uid}`;
}

export function groupOf(root: string, pod: PodObject): string {
  return podGroup(root, { uid: pod.metadata.uid ?? "", qos: qosClass(pod) });
}
