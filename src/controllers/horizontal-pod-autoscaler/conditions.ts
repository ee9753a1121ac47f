// The conditions of an autoscaler: AbleToScale, ScalingActive, ScalingLimited.
import type { HorizontalPodAutoscalerCondition } from "../../api/types/autoscaling/v2.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

type Condition = DeepReadonly<HorizontalPodAutoscalerCondition>;

export interface WantedCondition {
  readonly type: "AbleToScale" | "ScalingActive" | "ScalingLimited";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** The list with that condition; its time changes with its status. */
export function withCondition(conditions: readonly Condition[], wanted: WantedCondition, nowMs: number): readonly Condition[] {
  const known = conditions.find(({ type }) => type === wanted.type);
  const lastTransitionTime = known?.status === wanted.status ? (known.lastTransitionTime ?? formatTime(nowMs)) : formatTime(nowMs);
  const condition = { ...wanted, lastTransitionTime };
  return known === undefined ? [...conditions, condition] : conditions.map((each) => (each === known ? condition : each));
}
