// From the size that metrics call for to the one that is set: stabilised, then bounded by rates and limits.
// @see kubernetes `pkg/controller/podautoscaler/horizontal.go`, normalizeDesiredReplicas…
import type { HorizontalPodAutoscaler, HPAScalingRules } from "../../api/types/autoscaling/v2.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { type ScalingHistory, sizeBefore } from "./scaling-history.ts";

/** How long, unless the autoscaler says otherwise, a smaller size must have been recommended. */
const DOWNSCALE_WINDOW_MS = 5 * 60 * 1000;

type Rules = DeepReadonly<HPAScalingRules> | undefined;

export interface Reasoned {
  readonly replicas: number;
  readonly reason: string;
  readonly message: string;
}

export interface NormalizationInput {
  readonly autoscaler: DeepReadonly<HorizontalPodAutoscaler>;
  readonly current: number;
  /** What the metrics call for. */
  readonly wanted: number;
  readonly history: ScalingHistory;
  readonly nowMs: number;
}

export interface Normalization {
  readonly replicas: number;
  /** For AbleToScale. */
  readonly stabilized: Reasoned;
  /** For ScalingLimited, which is true when the size is not the stabilised one. */
  readonly limited: Reasoned;
}

export function normalize(input: NormalizationInput): Normalization {
  const stabilized = stabilize(input);
  const limited =
    input.autoscaler.spec.behavior === undefined ? limitByDefault(input, stabilized.replicas) : limitByBehavior(input, stabilized.replicas);
  return { replicas: limited.replicas, stabilized, limited };
}

function stabilize({ autoscaler, current, wanted, history, nowMs }: NormalizationInput): Reasoned {
  const { behavior } = autoscaler.spec;
  const upMs = (behavior?.scaleUp?.stabilizationWindowSeconds ?? 0) * 1000;
  const downSeconds = behavior?.scaleDown?.stabilizationWindowSeconds;
  const downMs = downSeconds === undefined ? DOWNSCALE_WINDOW_MS : downSeconds * 1000;
  const within = (windowMs: number) =>
    history.recommendations.filter(({ atMs }) => atMs > nowMs - windowMs).map(({ replicas }) => replicas);
  const least = Math.min(wanted, ...within(upMs));
  const most = Math.max(wanted, ...within(downMs));
  const replicas = Math.min(Math.max(current, least), most);
  if (replicas === wanted) return { replicas, reason: "ReadyForNewScale", message: "recommended size matches current size" };
  return wanted >= current
    ? {
        replicas,
        reason: "ScaleUpStabilized",
        message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
      }
    : {
        replicas,
        reason: "ScaleDownStabilized",
        message: "recent recommendations were higher than current one, applying the highest recent recommendation",
      };
}

const messages = {
  ScaleUpLimit: "the desired replica count is increasing faster than the maximum scale rate",
  ScaleDownLimit: "the desired replica count is decreasing faster than the maximum scale rate",
  TooManyReplicas: "the desired replica count is more than the maximum replica count",
  TooFewReplicas: "the desired replica count is less than the minimum replica count",
  DesiredWithinRange: "the desired count is within the acceptable range",
} as const;

function limitedBy(replicas: number, reason: keyof typeof messages): Reasoned {
  return { replicas, reason, message: messages[reason] };
}

/** Without a behaviour: at most twice as many at once, or four. */
function limitByDefault({ autoscaler, current }: NormalizationInput, desired: number): Reasoned {
  const { minReplicas = 1, maxReplicas } = autoscaler.spec;
  const rate = Math.max(2 * current, 4);
  if (desired < minReplicas) return limitedBy(minReplicas, "TooFewReplicas");
  if (desired > Math.min(maxReplicas, rate)) {
    return maxReplicas > rate ? limitedBy(rate, "ScaleUpLimit") : limitedBy(maxReplicas, "TooManyReplicas");
  }
  return limitedBy(desired, "DesiredWithinRange");
}

function limitByBehavior(input: NormalizationInput, desired: number): Reasoned {
  const { autoscaler, current } = input;
  const { minReplicas = 1, maxReplicas, behavior } = autoscaler.spec;
  if (desired > current) {
    const rate = Math.max(current, upLimit(input, behavior?.scaleUp));
    if (desired > Math.min(maxReplicas, rate)) {
      return maxReplicas > rate ? limitedBy(rate, "ScaleUpLimit") : limitedBy(maxReplicas, "TooManyReplicas");
    }
  } else if (desired < current) {
    const rate = Math.min(current, downLimit(input, behavior?.scaleDown));
    if (desired < Math.max(minReplicas, rate)) {
      return minReplicas < rate ? limitedBy(rate, "ScaleDownLimit") : limitedBy(minReplicas, "TooFewReplicas");
    }
  }
  return limitedBy(desired, "DesiredWithinRange");
}

function upLimit({ current, history, nowMs }: NormalizationInput, rules: Rules): number {
  const { policies = [], selectPolicy = "Max" } = rules ?? {};
  if (selectPolicy === "Disabled") return current;
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const start = sizeBefore(history, current, periodSeconds * 1000, nowMs);
    // Rounded up: else one pod would never become two.
    return type === "Pods" ? start + value : Math.ceil((start * (100 + value)) / 100);
  });
  return selectPolicy === "Min" ? Math.min(...limits) : Math.max(...limits);
}

function downLimit({ current, history, nowMs }: NormalizationInput, rules: Rules): number {
  const { policies = [], selectPolicy = "Max" } = rules ?? {};
  if (selectPolicy === "Disabled") return current;
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const start = sizeBefore(history, current, periodSeconds * 1000, nowMs);
    return type === "Pods" ? start - value : Math.trunc((start * (100 - value)) / 100);
  });
  return selectPolicy === "Min" ? Math.max(...limits) : Math.min(...limits);
}
