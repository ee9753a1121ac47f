// How much of each resource a pod needs, by the rules of upstream's resource helpers: containers and sidecars run
// together, init containers one after another beside the sidecars started before them, overhead comes on top.
import { type DeepReadonly, quantityMilli, quantityValue } from "../machinery/index.ts";
import { isSidecar } from "./pod-state.ts";
import type { Pod, ResourceRequirements } from "./types/core/v1.ts";

/** A pod's needs; `extended` has everything else by resource name (hugepages too), in whole units. */
export interface PodRequests {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  readonly extended: ReadonlyMap<string, number>;
}

type Amounts = Map<string, number>;
type Side = "requests" | "limits";

/** Millicores for cpu, else whole units. */
function amountOf(name: string, quantity: string): number {
  return name === "cpu" ? quantityMilli(quantity) : quantityValue(quantity);
}

function addTo(amounts: Amounts, list: DeepReadonly<Record<string, string>> | undefined): void {
  for (const name in list) amounts.set(name, (amounts.get(name) ?? 0) + amountOf(name, list[name] ?? "0"));
}

function raiseTo(amounts: Amounts, others: Amounts): void {
  for (const [name, amount] of others) if (amount > (amounts.get(name) ?? 0)) amounts.set(name, amount);
}

function listOf(resources: DeepReadonly<ResourceRequirements> | undefined, side: Side): DeepReadonly<Record<string, string>> | undefined {
  return resources?.[side];
}

function aggregate(pod: DeepReadonly<Pod>, side: Side): Amounts {
  const { containers = [], initContainers, resources, overhead } = pod.spec ?? {};
  const total: Amounts = new Map();
  for (const container of containers) addTo(total, listOf(container.resources, side));
  if (initContainers !== undefined) {
    const sidecars: Amounts = new Map();
    const peak: Amounts = new Map();
    for (const container of initContainers) {
      const list = listOf(container.resources, side);
      if (isSidecar(container)) {
        addTo(total, list);
        addTo(sidecars, list);
        raiseTo(peak, sidecars);
      } else {
        const together: Amounts = new Map(sidecars);
        addTo(together, list);
        raiseTo(peak, together);
      }
    }
    raiseTo(total, peak);
  }
  for (const name in resources?.[side]) {
    if (isPodLevelResource(name)) total.set(name, amountOf(name, resources?.[side]?.[name] ?? "0"));
  }
  if (overhead !== undefined && (side === "requests" || total.size > 0)) addTo(total, overhead);
  return total;
}

/** What `spec.resources` may set for the pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

function summarize(amounts: Amounts): PodRequests {
  const cpuMilli = amounts.get("cpu") ?? 0;
  const memoryBytes = amounts.get("memory") ?? 0;
  const ephemeralBytes = amounts.get("ephemeral-storage") ?? 0;
  for (const name of ["cpu", "memory", "ephemeral-storage"]) amounts.delete(name);
  return { cpuMilli, memoryBytes, ephemeralBytes, extended: amounts };
}

/** What the scheduler reserves for the pod. */
export function podRequests(pod: DeepReadonly<Pod>): PodRequests {
  return summarize(aggregate(pod, "requests"));
}

/** What the pod may use at most; a resource without any limit is 0 or absent. */
export function podLimits(pod: DeepReadonly<Pod>): PodRequests {
  return summarize(aggregate(pod, "limits"));
}
