// Requests and limits in the kernel's units.
import type { ResourceRequirements } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { PodObject } from "../pod/pod-object.ts";
import { qosClass } from "../resources/pod-resources.ts";
import { hugePageBytes, milliValue, wholeValue } from "../resources/quantity.ts";
import type { LinuxResources } from "../runtime/runtime.ts";

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const PERIOD_US = 100_000;
const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
/** The kernel refuses less. */
const MIN_QUOTA_US = 1_000;

/** CPU shares for thousandths of a CPU. */
export function cpuShares(milliCpu: number): number {
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milliCpu * 1024) / 1000)));
}

/** The quota of a CFS period for thousandths of a CPU; nothing for no limit. */
export function cpuQuota(milliCpu: number): Pick<LinuxResources, "cpuQuotaUs" | "cpuPeriodUs"> {
  if (milliCpu <= 0) return {};
  return { cpuQuotaUs: Math.max(MIN_QUOTA_US, Math.floor((milliCpu * PERIOD_US) / 1000)), cpuPeriodUs: PERIOD_US };
}

/** A container's resources. `memoryBytes` is the machine's. */
export function linuxResources(
  pod: PodObject,
  resources: DeepReadonly<ResourceRequirements> | undefined,
  memoryBytes: number,
): LinuxResources {
  const { requests = {}, limits = {} } = resources ?? {};
  const memoryLimitBytes = wholeValue(limits["memory"]);
  return {
    cpuShares: cpuShares(milliValue(requests["cpu"] ?? limits["cpu"])),
    ...cpuQuota(milliValue(limits["cpu"])),
    ...(memoryLimitBytes > 0 ? { memoryLimitBytes } : {}),
    ...hugePageLimits(limits),
    oomScoreAdj: oomScoreAdj(pod, wholeValue(requests["memory"]), memoryBytes),
  };
}

function hugePageLimits(limits: DeepReadonly<Record<string, string>>): Pick<LinuxResources, "hugePageLimits"> {
  const found = Object.entries(limits).flatMap(([name, quantity]) => {
    const pageBytes = hugePageBytes(name);
    return pageBytes === undefined ? [] : [{ pageSize: kernelSize(pageBytes), limitBytes: wholeValue(quantity) }];
  });
  return found.length === 0 ? {} : { hugePageLimits: found };
}

/** `2MB`, as the kernel names the files of its hugetlb controller. */
function kernelSize(bytes: number): string {
  if (bytes >= GIB) return `${bytes / GIB}GB`;
  return bytes >= MIB ? `${bytes / MIB}MB` : `${bytes / KIB}KB`;
}

/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior */
function oomScoreAdj(pod: PodObject, requestBytes: number, memoryBytes: number): number {
  const qos = qosClass(pod);
  if (qos === "Guaranteed" || (pod.spec?.priority ?? 0) >= 2_000_000_000) return -997;
  if (qos === "BestEffort") return 1000;
  return Math.min(999, Math.max(3, 1000 - Math.floor((1000 * requestBytes) / memoryBytes)));
}
