// Objects that watch over a workload: budgets that limit evictions, and autoscalers; and what must hold of them at rest.
import { getCondition, podReady, resources } from "../../../src/api/index.ts";
import type { HorizontalPodAutoscaler } from "../../../src/api/types/autoscaling/v2.ts";
import type { Pod } from "../../../src/api/types/core/v1.ts";
import type { PodDisruptionBudget } from "../../../src/api/types/policy/v1.ts";
import { type DeepReadonly, type KubeObject, objectKey, scaledValue } from "../../../src/machinery/index.ts";
import type { RandomChoice } from "./random-choice.ts";

/** What a container of a workload asks for; what it uses is in the pod's annotations. */
export const REQUESTED_CORES = 0.1;
/** Of what is requested. */
const TARGET_PERCENT = 100;

export const scalableKinds: readonly string[] = [resources.deployments.kind, resources.statefulsets.kind];

/** Of a workload of that name; later ones replace its first. */
export function randomBudget(name: string, choice: RandomChoice): PodDisruptionBudget {
  const limit =
    choice.oneOf<object>([{ minAvailable: choice.between(0, 3) }, { maxUnavailable: choice.between(0, 2) }, { maxUnavailable: "40%" }]) ??
    {};
  return { metadata: { name }, spec: { selector: { matchLabels: { app: name } }, ...limit } };
}

export function randomAutoscaler(name: string, kind: string, choice: RandomChoice): HorizontalPodAutoscaler {
  const minReplicas = choice.between(1, 2);
  const target = { type: "Utilization", averageUtilization: TARGET_PERCENT };
  const metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  const scaleTargetRef = { apiVersion: "apps/v1", kind, name };
  return { metadata: { name }, spec: { scaleTargetRef, minReplicas, maxReplicas: choice.between(3, 5), metrics } };
}

/** Pods that count as healthy for their budget. */
export function healthyPods(pods: readonly DeepReadonly<Pod>[], app: string): readonly DeepReadonly<Pod>[] {
  return pods.filter((pod) => pod.metadata.labels?.["app"] === app && pod.metadata.deletionTimestamp === undefined && podReady(pod));
}

export interface Scaled extends KubeObject {
  readonly spec?:
    | { readonly replicas?: number | undefined; readonly template: DeepReadonly<{ metadata?: KubeObject["metadata"] | undefined }> }
    | undefined;
}

interface Watched {
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly targets: readonly DeepReadonly<Scaled>[];
  readonly budgets: readonly DeepReadonly<PodDisruptionBudget>[];
  readonly autoscalers: readonly DeepReadonly<HorizontalPodAutoscaler>[];
}

/** Budgets that count wrongly, and autoscalers whose target has another size than its usage calls for. */
export function companionProblems({ pods, targets, budgets, autoscalers }: Watched): string[] {
  const targetOf = ({ metadata }: DeepReadonly<KubeObject>) => targets.find((target) => target.metadata.name === metadata.name);
  const problems = budgets.flatMap((budget) => {
    const wanted = budgetCounts(budget, pods, targetOf(budget)?.spec?.replicas ?? 0);
    const { currentHealthy, desiredHealthy, disruptionsAllowed } = budget.status ?? {};
    const actual = [currentHealthy, desiredHealthy, disruptionsAllowed].join("/");
    return actual === wanted ? [] : [`budget ${objectKey(budget)} counts ${actual} instead of ${wanted}`];
  });
  for (const autoscaler of autoscalers) {
    const target = targetOf(autoscaler);
    const replicas = target?.spec?.replicas ?? 0;
    if (target === undefined || replicas === 0) continue;
    const wanted = sizeFor(autoscaler, target);
    if (replicas !== wanted) problems.push(`autoscaler ${objectKey(autoscaler)} keeps ${replicas} instead of ${wanted}`);
    const { currentReplicas, conditions = [] } = autoscaler.status ?? {};
    // After five minutes of the same wish the last recommendation but this one is forgotten.
    const { reason } = getCondition(conditions, "AbleToScale") ?? {};
    if (reason !== "ReadyForNewScale") problems.push(`autoscaler ${objectKey(autoscaler)} has ${reason}`);
    if (getCondition(conditions, "ScalingActive")?.status !== "True") problems.push(`autoscaler ${objectKey(autoscaler)} is not active`);
    if (currentReplicas !== replicas) problems.push(`autoscaler ${objectKey(autoscaler)} counts ${currentReplicas} instead of ${replicas}`);
  }
  return problems;
}

function budgetCounts({ metadata, spec }: DeepReadonly<PodDisruptionBudget>, pods: readonly DeepReadonly<Pod>[], replicas: number): string {
  const { minAvailable, maxUnavailable } = spec ?? {};
  const healthy = healthyPods(pods, metadata.name ?? "").length;
  const expected = pods.filter((pod) => pod.metadata.labels?.["app"] === metadata.name).length;
  const unavailable = scaledValue(maxUnavailable ?? 0, replicas, { roundUp: true });
  const desired = typeof minAvailable === "number" ? minAvailable : Math.max(0, replicas - unavailable);
  const allowed = (typeof minAvailable === "number" ? expected : replicas) === 0 ? 0 : Math.max(0, healthy - desired);
  return [healthy, desired, allowed].join("/");
}

/** All pods use the same, whatever their number: an autoscaler that wants more wants as many as it may have. */
function sizeFor({ spec }: DeepReadonly<HorizontalPodAutoscaler>, target: DeepReadonly<Scaled>): number {
  const { minReplicas = 1, maxReplicas = 1 } = spec ?? {};
  const used = Number(target.spec?.template.metadata?.annotations?.["sim.k8ts.dev/cpu-cores"]);
  return used / REQUESTED_CORES > TARGET_PERCENT / 100 ? maxReplicas : minReplicas;
}
