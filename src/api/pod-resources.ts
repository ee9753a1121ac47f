// How much of each resource a pod needs, by the rules of upstream's resource helpers: containers and sidecars run
// together, init containers one after another beside the sidecars started before them, overhead comes on top.
import { type DeepReadonly, quantityMilli, quantityValue } from "../machinery/index.ts";
import { isSidecar } from "./pod-state.ts";
import type { Container, ContainerStatus, Pod } from "./types/core/v1.ts";

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

/** The larger quantity of each resource. */
function largest(lists: readonly (DeepReadonly<Record<string, string>> | undefined)[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const list of lists) {
    for (const [name, quantity] of Object.entries(list ?? {})) {
      const known = result[name];
      if (known === undefined || quantityMilli(quantity) > quantityMilli(known)) result[name] = quantity;
    }
  }
  return result;
}

/**
 * While it is resized in place, a container or a pod as a whole counts with the largest of what it asks for, what it was
 * allocated and what it has; one whose resize is infeasible without what it asks for.
 */
function amountsWhileResized(pod: DeepReadonly<Pod>): Counted {
  const { initContainerStatuses = [], containerStatuses = [], conditions = [] } = pod.status ?? {};
  const statuses = new Map([...initContainerStatuses, ...containerStatuses].map((status) => [status.name, status]));
  const isInfeasible = conditions.some(({ type, reason }) => type === "PodResizePending" && reason === "Infeasible");
  const counted = (wanted: Quantities, status: Pick<DeepReadonly<ContainerStatus>, "allocatedResources" | "resources"> | undefined) => {
    const actual = [status?.allocatedResources, status?.resources?.requests];
    if (actual.every((list) => list === undefined)) return wanted;
    return largest(isInfeasible ? actual : [wanted, ...actual]);
  };
  return {
    container: ({ name, resources }) => counted(resources?.requests, statuses.get(name)),
    pod: counted(pod.spec?.resources?.requests, pod.status),
  };
}

type Quantities = DeepReadonly<Record<string, string>> | undefined;

/** What each container and the pod as a whole count with; by default what they ask for. */
interface Counted {
  readonly container: (container: DeepReadonly<Container>) => Quantities;
  readonly pod?: Quantities;
}

function aggregate(pod: DeepReadonly<Pod>, side: Side, counted: Counted = { container: ({ resources }) => resources?.[side] }): Amounts {
  const { containers = [], initContainers, resources, overhead } = pod.spec ?? {};
  const amountsOf = counted.container;
  const ofPod = counted.pod ?? resources?.[side];
  const total: Amounts = new Map();
  for (const container of containers) addTo(total, amountsOf(container));
  if (initContainers !== undefined) {
    const sidecars: Amounts = new Map();
    const peak: Amounts = new Map();
    for (const container of initContainers) {
      const list = amountsOf(container);
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
  for (const name in ofPod) if (isPodLevelResource(name)) total.set(name, amountOf(name, ofPod[name] ?? "0"));
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

/** What the scheduler reserves for the pod; with `usesStatus` resizes under way count. */
export function podRequests(pod: DeepReadonly<Pod>, { usesStatus = false } = {}): PodRequests {
  return summarize(aggregate(pod, "requests", usesStatus && pod.status !== undefined ? amountsWhileResized(pod) : undefined));
}

/** What the pod may use at most; a resource without any limit is 0 or absent. */
export function podLimits(pod: DeepReadonly<Pod>): PodRequests {
  return summarize(aggregate(pod, "limits"));
}
