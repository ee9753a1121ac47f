// HorizontalPodAutoscaler (v1): the old form; stored as v2, whose rules it shares by conversion.
import type { KindStrategy } from "../strategy.ts";
import type { HorizontalPodAutoscaler } from "../types/autoscaling/v1.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { autoscalerToV2 } from "./conversion.ts";
import { horizontalPodAutoscalerStrategy as v2 } from "./horizontal-pod-autoscaler.ts";

export const horizontalPodAutoscalerV1Strategy: KindStrategy<HorizontalPodAutoscaler> = {
  applyDefaults({ spec }) {
    if (spec) spec.minReplicas ??= 1;
  },
  prepareForCreate(autoscaler) {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate: (autoscaler) => v2.validate?.(autoscalerToV2(autoscaler)) ?? [],
  columns: (v2.columns ?? []).map((column) => ({
    ...column,
    cell: (autoscaler: HorizontalPodAutoscaler, nowMs: number) => column.cell(autoscalerToV2(autoscaler), nowMs),
  })),
};
