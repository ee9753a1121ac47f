// How many replicas a metric calls for, given what pods use and which of them can be believed.
// @see kubernetes `pkg/controller/podautoscaler/replica_calculator.go`
import { getCondition, isSidecar, podReady } from "../../api/index.ts";
import type { Container, Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, quantityMilli } from "../../machinery/index.ts";
import { MetricsError, type PodMetric, type PodMetricsByName } from "./metrics-client.ts";

type ReadonlyPod = DeepReadonly<Pod>;

/** A pod's CPU in this time after its start is its initialisation's. */
const CPU_INITIALIZATION_MS = 5 * 60 * 1000;
/** A pod that was not ready for longer than this after its start has been ready in between. */
const INITIAL_READINESS_DELAY_MS = 30_000;

/** How far from the target a ratio may be without any change. */
export interface Tolerances {
  readonly scaleUp: number;
  readonly scaleDown: number;
}

export interface Proposal {
  readonly replicas: number;
  /** Thousandths, on average over the pods or in all, as the target is. */
  readonly usageMilli: number;
  /** Percent of the request. */
  readonly utilization?: number;
}

export interface PodUsage {
  readonly pods: readonly ReadonlyPod[];
  readonly metrics: PodMetricsByName;
  /** Undefined for metrics that are no resource. */
  readonly resource?: string | undefined;
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

function isWithin({ scaleUp, scaleDown }: Tolerances, ratio: number): boolean {
  return 1 - scaleDown <= ratio && ratio <= 1 + scaleUp;
}

interface Groups {
  readonly ready: number;
  readonly unready: readonly string[];
  readonly missing: readonly string[];
  /** Of ready pods only. */
  readonly metrics: ReadonlyMap<string, PodMetric>;
}

function groupPods({ pods, metrics, resource, nowMs }: PodUsage): Groups {
  if (pods.length === 0) throw new MetricsError("no pods returned by selector while calculating replica count");
  const unready: string[] = [];
  const missing: string[] = [];
  const believed = new Map(metrics);
  let ready = 0;
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata;
    const metric = metrics.get(name);
    if (deletionTimestamp !== undefined || pod.status?.phase === "Failed") believed.delete(name);
    else if (pod.status?.phase === "Pending" || (metric !== undefined && resource === "cpu" && isCpuUnready(pod, metric, nowMs))) {
      unready.push(name);
      believed.delete(name);
    } else if (metric === undefined) missing.push(name);
    else ready++;
  }
  if (believed.size === 0) throw new MetricsError("did not receive metrics for targeted pods (pods might be unready)");
  return { ready, unready, missing, metrics: believed };
}

function isCpuUnready({ status }: ReadonlyPod, metric: PodMetric, nowMs: number): boolean {
  const ready = getCondition(status?.conditions, "Ready");
  if (ready === undefined || status?.startTime === undefined) return true;
  const startMs = Date.parse(status.startTime);
  const changedMs = Date.parse(ready.lastTransitionTime ?? "");
  if (startMs + CPU_INITIALIZATION_MS > nowMs) return ready.status === "False" || metric.timestampMs < changedMs + metric.windowMs;
  return ready.status === "False" && startMs + INITIAL_READINESS_DELAY_MS > changedMs;
}

/** By a share of the pods' requests. */
export function utilizationReplicas(usage: PodUsage, targetUtilization: number, container?: string): Proposal {
  const groups = groupPods(usage);
  const requests = new Map(usage.pods.map((pod) => [pod.metadata.name ?? "", requestMilli(pod, usage.resource ?? "", container)]));
  const measure = (metrics: ReadonlyMap<string, PodMetric>) => utilizationOf(metrics, requests, targetUtilization);
  const first = measure(groups.metrics);
  // A pod without a metric is taken to use all it may, lest others be scaled away too soon.
  const fallback = (name: string) => ((requests.get(name) ?? 0) * Math.max(100, targetUtilization)) / 100;
  const replicas = proposed(usage, groups, { ratio: first.ratio, fallback, ratioOf: (metrics) => measure(metrics).ratio });
  return { replicas, usageMilli: first.averageMilli, utilization: first.utilization };
}

/** By an amount for each pod. */
export function averageReplicas(usage: PodUsage, targetMilli: number): Proposal {
  const groups = groupPods(usage);
  const averageOf = (metrics: ReadonlyMap<string, PodMetric>) => Math.trunc(sumOf(metrics) / metrics.size);
  const averageMilli = averageOf(groups.metrics);
  const ratioOf = (metrics: ReadonlyMap<string, PodMetric>) => averageOf(metrics) / targetMilli;
  const replicas = proposed(usage, groups, { ratio: averageMilli / targetMilli, fallback: () => targetMilli, ratioOf });
  return { replicas, usageMilli: averageMilli };
}

interface Measure {
  readonly ratio: number;
  /** What a pod without a metric is taken to use when scaling down. */
  readonly fallback: (name: string) => number;
  readonly ratioOf: (metrics: ReadonlyMap<string, PodMetric>) => number;
}

/** Pods that cannot be believed count against the direction of the change, and never turn it round. */
function proposed({ currentReplicas, tolerances }: PodUsage, groups: Groups, { ratio, fallback, ratioOf }: Measure): number {
  const countsUnready = groups.unready.length > 0 && ratio > 1;
  if (!countsUnready && groups.missing.length === 0) {
    return isWithin(tolerances, ratio) ? currentReplicas : Math.ceil(ratio * groups.ready);
  }
  const metrics = new Map(groups.metrics);
  const assume = (name: string, milli: number) => metrics.set(name, { milli, timestampMs: 0, windowMs: 0 });
  if (ratio < 1) for (const name of groups.missing) assume(name, fallback(name));
  if (ratio > 1) for (const name of groups.missing) assume(name, 0);
  if (countsUnready) for (const name of groups.unready) assume(name, 0);
  const corrected = ratioOf(metrics);
  const turnsRound = (ratio < 1 && corrected > 1) || (ratio > 1 && corrected < 1);
  if (isWithin(tolerances, corrected) || turnsRound) return currentReplicas;
  const replicas = Math.ceil(corrected * metrics.size);
  const isOtherWay = (corrected < 1 && replicas > currentReplicas) || (corrected > 1 && replicas < currentReplicas);
  return isOtherWay ? currentReplicas : replicas;
}

/** By one value for all pods together, such as an object's or an external one. */
export function valueReplicas(
  { pods, currentReplicas, tolerances }: Pick<PodUsage, "pods" | "currentReplicas" | "tolerances">,
  valueMilli: number,
  targetMilli: number,
): Proposal {
  const ratio = valueMilli / targetMilli;
  if (currentReplicas === 0) return { replicas: Math.ceil(ratio), usageMilli: valueMilli };
  if (isWithin(tolerances, ratio)) return { replicas: currentReplicas, usageMilli: valueMilli };
  if (pods.length === 0)
    throw new MetricsError("unable to calculate ready pods: no pods returned by selector while calculating replica count");
  const ready = pods.filter((pod) => pod.status?.phase === "Running" && podReady(pod)).length;
  return { replicas: Math.ceil(ratio * ready), usageMilli: valueMilli };
}

/** By one value that is to be shared out among the pods. */
export function sharedReplicas(
  { statusReplicas, tolerances }: { readonly statusReplicas: number; readonly tolerances: Tolerances },
  valueMilli: number,
  targetAverageMilli: number,
): Proposal {
  const ratio = valueMilli / (targetAverageMilli * statusReplicas);
  const replicas = isWithin(tolerances, ratio) ? statusReplicas : Math.ceil(valueMilli / targetAverageMilli);
  return { replicas, usageMilli: statusReplicas === 0 ? valueMilli : Math.ceil(valueMilli / statusReplicas) };
}

function sumOf(metrics: ReadonlyMap<string, PodMetric>): number {
  let sum = 0;
  for (const { milli } of metrics.values()) sum += milli;
  return sum;
}

function utilizationOf(metrics: ReadonlyMap<string, PodMetric>, requests: ReadonlyMap<string, number>, target: number) {
  let used = 0;
  let requested = 0;
  let count = 0;
  for (const [name, { milli }] of metrics) {
    const request = requests.get(name);
    if (request === undefined) continue;
    used += milli;
    requested += request;
    count++;
  }
  if (requested === 0) throw new MetricsError("no metrics returned matched known pods");
  const utilization = Math.trunc((used * 100) / requested);
  return { ratio: utilization / target, utilization, averageMilli: Math.trunc(used / count) };
}

/** What the pod, or one container of it, asks for. */
function requestMilli({ metadata, spec }: ReadonlyPod, resource: string, container: string | undefined): number {
  const { name = "" } = metadata;
  const ofPod = spec?.resources?.requests;
  if (container === undefined && ofPod !== undefined && Object.keys(ofPod).length > 0) {
    const request = ofPod[resource];
    if (request === undefined) throw new MetricsError(`missing pod-level request for ${resource} in Pod ${name}`);
    return quantityMilli(request);
  }
  const all: readonly DeepReadonly<Container>[] = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isSidecar)];
  const counted = container === undefined ? all : all.filter((each) => each.name === container);
  if (container !== undefined && counted.length === 0) throw new MetricsError(`container ${container} not found in Pod ${name}`);
  return counted.reduce((sum, each) => {
    const request = each.resources?.requests?.[resource];
    if (request === undefined) throw new MetricsError(`missing request for ${resource} in container ${each.name} of Pod ${name}`);
    return sum + quantityMilli(request);
  }, 0);
}
