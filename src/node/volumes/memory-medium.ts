// Volumes in memory: what is mounted for the medium of an emptyDir, and for what must never touch the disk.
import type { Pod, Volume } from "../../api/types/core/v1.ts";
import { type DeepReadonly, quantityValue } from "../../machinery/index.ts";
import { hugePageBytes } from "../resources/quantity.ts";

export interface MemoryMount {
  readonly type: "tmpfs" | "hugetlbfs";
  readonly options: readonly string[];
}

const HUGE_PAGES = "HugePages";

/** Undefined for a volume on disk. @throws Error when it cannot be told which huge pages are meant */
export function memoryMount(pod: DeepReadonly<Pod>, volume: DeepReadonly<Volume>): MemoryMount | undefined {
  const { emptyDir, secret, projected, downwardAPI } = volume;
  const { medium = "", sizeLimit } = emptyDir ?? {};
  if (medium.startsWith(HUGE_PAGES)) return { type: "hugetlbfs", options: [`pagesize=${pageBytes(pod, medium)}`] };
  const isSecret = secret !== undefined || projected !== undefined || downwardAPI !== undefined;
  // Secrets and tokens never touch the disk.
  if (medium !== "Memory" && !isSecret) return undefined;
  return { type: "tmpfs", options: sizeLimit === undefined ? [] : [`size=${quantityValue(sizeLimit)}`] };
}

/** `HugePages-2Mi` says it; `HugePages` means those that the pod's containers ask for, when these are of one size. */
function pageBytes(pod: DeepReadonly<Pod>, medium: string): number {
  const wanted = medium === HUGE_PAGES ? requestedSizes(pod) : [quantityValue(medium.slice(`${HUGE_PAGES}-`.length))];
  const [size, ...others] = wanted;
  if (size === undefined || others.length > 0) throw new Error(`medium ${medium} needs containers that request huge pages of one size`);
  return size;
}

function requestedSizes({ spec }: DeepReadonly<Pod>): number[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const names = containers.flatMap(({ resources }) => Object.keys({ ...resources?.limits, ...resources?.requests }));
  return [...new Set(names.map(hugePageBytes).filter((bytes) => bytes !== undefined))];
}
