// autoscaling/v1 ↔ v2 of the HorizontalPodAutoscaler, which is stored as v2. What v1 cannot say travels in annotations.
import type { HorizontalPodAutoscaler as AutoscalerV1 } from "../types/autoscaling/v1.ts";
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior, MetricSpec, MetricStatus } from "../types/autoscaling/v2.ts";

const metricsKey = "autoscaling.alpha.kubernetes.io/metrics";
const currentMetricsKey = "autoscaling.alpha.kubernetes.io/current-metrics";
const conditionsKey = "autoscaling.alpha.kubernetes.io/conditions";
const behaviorKey = "autoscaling.alpha.kubernetes.io/behavior";
const allKeys = [metricsKey, currentMetricsKey, conditionsKey, behaviorKey];

function isCpuUtilization({ resource }: MetricSpec): boolean {
  return resource?.name === "cpu" && resource.target.averageUtilization !== undefined;
}

function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    // Upstream too takes an unreadable annotation for none.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function withoutKeys(annotations: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !allKeys.includes(key)));
}

/** v1 → v2. */
export function autoscalerToV2(object: AutoscalerV1): HorizontalPodAutoscaler {
  const { metadata, spec, status } = object;
  const annotations = metadata.annotations ?? {};
  const utilization = spec.targetCPUUtilizationPercentage;
  const metrics = parsed<MetricSpec[]>(annotations[metricsKey]) ?? [];
  if (utilization !== undefined) {
    metrics.unshift({ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: utilization } } });
  }
  const kept = withoutKeys(metadata.annotations);
  const { annotations: _, ...otherMetadata } = metadata;
  const behavior = parsed<HorizontalPodAutoscalerBehavior>(annotations[behaviorKey]);
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: Object.keys(kept).length === 0 ? otherMetadata : { ...otherMetadata, annotations: kept },
    spec: {
      scaleTargetRef: spec.scaleTargetRef,
      ...(spec.minReplicas !== undefined && { minReplicas: spec.minReplicas }),
      maxReplicas: spec.maxReplicas,
      ...(metrics.length > 0 && { metrics }),
      ...(behavior && { behavior }),
    },
    ...(status && { status: statusToV2(status, annotations) }),
  };
}

function statusToV2(
  { currentCPUUtilizationPercentage: cpu, ...status }: NonNullable<AutoscalerV1["status"]>,
  annotations: Readonly<Record<string, string>>,
): NonNullable<HorizontalPodAutoscaler["status"]> {
  const currentMetrics = parsed<MetricStatus[]>(annotations[currentMetricsKey]) ?? [];
  if (cpu !== undefined) currentMetrics.unshift({ type: "Resource", resource: { name: "cpu", current: { averageUtilization: cpu } } });
  const conditions = parsed<NonNullable<HorizontalPodAutoscaler["status"]>["conditions"]>(annotations[conditionsKey]);
  return { ...status, ...(currentMetrics.length > 0 && { currentMetrics }), ...(conditions && { conditions }) };
}

/** v2 → v1. */
export function autoscalerToV1(object: HorizontalPodAutoscaler): AutoscalerV1 {
  const { metadata, spec, status } = object;
  const annotations = withoutKeys(metadata.annotations);
  const cpuMetric = spec.metrics?.find(isCpuUtilization);
  const otherMetrics = spec.metrics?.filter((metric) => metric !== cpuMetric) ?? [];
  if (otherMetrics.length > 0) annotations[metricsKey] = JSON.stringify(otherMetrics);
  if (spec.behavior) annotations[behaviorKey] = JSON.stringify(spec.behavior);
  const cpuStatus = status?.currentMetrics?.find(
    ({ resource }) => resource?.name === "cpu" && resource.current.averageUtilization !== undefined,
  );
  const otherStatuses = status?.currentMetrics?.filter((metric) => metric !== cpuStatus) ?? [];
  if (otherStatuses.length > 0) annotations[currentMetricsKey] = JSON.stringify(otherStatuses);
  if (status?.conditions?.length) annotations[conditionsKey] = JSON.stringify(status.conditions);
  const { annotations: _, ...otherMetadata } = metadata;
  const utilization = cpuMetric?.resource?.target.averageUtilization;
  const cpu = cpuStatus?.resource?.current.averageUtilization;
  const { currentMetrics: __, conditions: ___, ...counters } = status ?? { desiredReplicas: 0 };
  return {
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: Object.keys(annotations).length === 0 ? otherMetadata : { ...otherMetadata, annotations },
    spec: {
      scaleTargetRef: spec.scaleTargetRef,
      ...(spec.minReplicas !== undefined && { minReplicas: spec.minReplicas }),
      maxReplicas: spec.maxReplicas,
      ...(utilization !== undefined && { targetCPUUtilizationPercentage: utilization }),
    },
    ...(status && {
      status: {
        ...counters,
        currentReplicas: counters.currentReplicas ?? 0,
        ...(cpu !== undefined && { currentCPUUtilizationPercentage: cpu }),
      },
    }),
  };
}
