// The node's own say on a pod that was bound to it: what does not fit is refused as Failed.
import { matchesRequiredNodeAffinity, toleratesTaints } from "../api/index.ts";
import type { Taint } from "../api/types/core/v1.ts";
import type { DeepReadonly } from "../machinery/index.ts";
import type { Pressure } from "./eviction/pressure.ts";
import { isCritical } from "./eviction/rank.ts";
import { type NodeFeatures, refusedFeature } from "./feature-admission.ts";
import type { PodObject } from "./pod/pod-object.ts";
import type { EndCause } from "./pod/pod-view.ts";
import { type Amounts, amounts, podRequests, qosClass } from "./resources/pod-resources.ts";

export interface AdmissionNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: DeepReadonly<Taint[]>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly features: NodeFeatures;
  readonly pressures: ReadonlySet<Pressure>;
  /** Why the node takes no pod at all. */
  readonly closed?: EndCause | undefined;
}

/** Why `pod` cannot run beside the `others`; undefined when it can. */
export function admitPod(pod: PodObject, others: readonly PodObject[], node: AdmissionNode): EndCause | undefined {
  return (
    node.closed ??
    underPressure(pod, node.pressures) ??
    refusedFeature(pod, node.features) ??
    lackOfResources(pod, others, node.allocatable) ??
    (matchesRequiredNodeAffinity(pod, { metadata: { name: node.name, labels: node.labels } })
      ? undefined
      : failed("NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")) ??
    portConflict(pod, others) ??
    intolerable(pod, node.taints)
  );
}

function failed(reason: string, message: string): EndCause {
  return { phase: "Failed", reason, message };
}

/** Short of memory, a node takes what has asked for some; short of anything else, it takes nothing. */
function underPressure(pod: PodObject, pressures: ReadonlySet<Pressure>): EndCause | undefined {
  if (pressures.size === 0 || isCritical(pod)) return undefined;
  const isMemoryOnly = pressures.size === 1 && pressures.has("MemoryPressure");
  const toleratesMemory = (pod.spec?.tolerations ?? []).some(
    ({ key, operator }) => key === "node.kubernetes.io/memory-pressure" || (key === undefined && operator === "Exists"),
  );
  if (isMemoryOnly && (qosClass(pod) !== "BestEffort" || toleratesMemory)) return undefined;
  return failed("Evicted", `Pod was rejected: The node had condition: [${[...pressures].join(" ")}]. `);
}

function lackOfResources(
  pod: PodObject,
  others: readonly PodObject[],
  allocatable: Readonly<Record<string, string>>,
): EndCause | undefined {
  const capacity = amounts(allocatable);
  const used = new Map<string, number>([["pods", others.length]]);
  for (const other of others) for (const [name, value] of podRequests(other)) used.set(name, (used.get(name) ?? 0) + value);
  const requested: Amounts = new Map([["pods", 1], ...podRequests(pod)]);
  for (const [name, request] of requested) {
    const total = capacity.get(name) ?? 0;
    const inUse = used.get(name) ?? 0;
    if (request === 0 || inUse + request <= total) continue;
    const numbers = `requested: ${request}, used: ${inUse}, capacity: ${total}`;
    return failed(`OutOf${name}`, `Pod was rejected: Node didn't have enough resource: ${name}, ${numbers}`);
  }
  return undefined;
}

interface HostPort {
  readonly hostIP: string;
  readonly key: string;
}

function hostPorts(pod: PodObject): readonly HostPort[] {
  return (pod.spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, hostIP = "", protocol = "TCP" }) =>
      hostPort === 0 ? [] : [{ hostIP: hostIP === "" ? "0.0.0.0" : hostIP, key: `${protocol}/${hostPort}` }],
    ),
  );
}

function portConflict(pod: PodObject, others: readonly PodObject[]): EndCause | undefined {
  const wanted = hostPorts(pod);
  const taken = wanted.length === 0 ? [] : others.flatMap(hostPorts);
  const clashes = (a: HostPort, b: HostPort) =>
    a.key === b.key && (a.hostIP === b.hostIP || a.hostIP === "0.0.0.0" || b.hostIP === "0.0.0.0");
  if (!wanted.some((port) => taken.some((other) => clashes(port, other)))) return undefined;
  return failed("NodePorts", "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports");
}

/** Only NoExecute counts here: what may be scheduled was the scheduler's business. */
function intolerable(pod: PodObject, taints: DeepReadonly<Taint[]>): EndCause | undefined {
  const tolerations = pod.spec?.tolerations ?? [];
  const taint = taints.find((candidate) => !toleratesTaints(tolerations, [candidate], ["NoExecute"]));
  if (taint === undefined) return undefined;
  return failed(
    "TaintToleration",
    `Pod was rejected: Predicate TaintToleration failed: node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`,
  );
}
