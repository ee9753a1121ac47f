// HorizontalPodAutoscaler (v2): defaults, validation, columns.
import { type FieldError, field, quantityMilli } from "../../machinery/index.ts";
import { ageColumn, column, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { HorizontalPodAutoscaler, HPAScalingRules, MetricSpec, MetricTarget, MetricValueStatus } from "../types/autoscaling/v2.ts";
import { checkNotNegative } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { validateMetric, validateReference } from "./metric-validation.ts";

const maxWindowSeconds = 3600;
const maxShownMetrics = 2;

function applyRuleDefaults(rules: HPAScalingRules, defaults: Required<Pick<HPAScalingRules, "policies" | "selectPolicy">>): void {
  rules.selectPolicy ??= defaults.selectPolicy;
  rules.policies ??= defaults.policies;
}

function applyDefaults({ spec }: HorizontalPodAutoscaler): void {
  if (!spec) return;
  spec.minReplicas ??= 1;
  if (!spec.metrics?.length) {
    spec.metrics = [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } }];
  }
  const { behavior } = spec;
  if (!behavior) return;
  behavior.scaleUp ??= {};
  behavior.scaleDown ??= {};
  behavior.scaleUp.stabilizationWindowSeconds ??= 0;
  applyRuleDefaults(behavior.scaleUp, {
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  });
  applyRuleDefaults(behavior.scaleDown, { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] });
}

function validateRules(errors: FieldError[], path: string, rules: HPAScalingRules | undefined): void {
  if (!rules) return;
  const window = rules.stabilizationWindowSeconds;
  const windowPath = `${path}.stabilizationWindowSeconds`;
  if (window !== undefined && window < 0) errors.push(field.invalid(windowPath, window, "must be greater than or equal to zero"));
  if (window !== undefined && window > maxWindowSeconds) {
    errors.push(field.invalid(windowPath, window, `must be less than or equal to ${maxWindowSeconds}`));
  }
  if (rules.selectPolicy !== undefined && !["Disabled", "Max", "Min"].includes(rules.selectPolicy)) {
    errors.push(field.notSupported(`${path}.selectPolicy`, rules.selectPolicy, ["Disabled", "Max", "Min"]));
  }
  if (!rules.policies?.length) errors.push(field.required(`${path}.policies`, "must specify at least one Policy"));
  if (rules.tolerance !== undefined && quantityMilli(rules.tolerance) < 0) {
    errors.push(field.invalid(`${path}.tolerance`, rules.tolerance, "must be greater or equal to zero"));
  }
  rules.policies?.forEach(({ type, value, periodSeconds }, i) => {
    const policyPath = `${path}.policies[${i}]`;
    if (type !== "Pods" && type !== "Percent") errors.push(field.notSupported(`${policyPath}.type`, type, ["Percent", "Pods"]));
    if (!(value > 0)) errors.push(field.invalid(`${policyPath}.value`, value, "must be greater than zero"));
    if (!(periodSeconds > 0)) errors.push(field.invalid(`${policyPath}.periodSeconds`, periodSeconds, "must be greater than zero"));
    if (periodSeconds > 1800)
      errors.push(field.invalid(`${policyPath}.periodSeconds`, periodSeconds, "must be less than or equal to 1800"));
  });
}

function validate({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  const { minReplicas = 1, maxReplicas, scaleTargetRef, metrics, behavior } = spec;
  if (minReplicas < 1) errors.push(field.invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  if (!(maxReplicas >= 1)) errors.push(field.invalid("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (maxReplicas < minReplicas) {
    errors.push(field.invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  validateReference(errors, "spec.scaleTargetRef", scaleTargetRef);
  metrics?.forEach((metric, i) => {
    validateMetric(errors, `spec.metrics[${i}]`, metric);
  });
  validateRules(errors, "spec.behavior.scaleUp", behavior?.scaleUp);
  validateRules(errors, "spec.behavior.scaleDown", behavior?.scaleDown);
  return errors;
}

function metricText(metric: MetricSpec, current: MetricValueStatus | undefined): string {
  const source = metric.resource ?? metric.containerResource ?? metric.pods ?? metric.object ?? metric.external;
  const target: MetricTarget = source?.target ?? { type: "" };
  const label = metric.resource?.name ?? metric.containerResource?.name;
  const prefix = label === undefined ? "" : `${label}: `;
  if (target.averageUtilization !== undefined) {
    return `${prefix}${current?.averageUtilization === undefined ? "<unknown>" : `${current.averageUtilization}%`}/${target.averageUtilization}%`;
  }
  if (target.averageValue !== undefined) {
    const suffix = metric.external || metric.object ? " (avg)" : "";
    return `${prefix}${current?.averageValue ?? "<unknown>"}/${target.averageValue}${suffix}`;
  }
  return `${prefix}${current?.value ?? "<unknown>"}/${target.value ?? "<auto>"}`;
}

function targetsCell({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const texts = metrics.map((metric, i) => {
    const now = status?.currentMetrics?.[i];
    return metricText(metric, (now?.resource ?? now?.containerResource ?? now?.pods ?? now?.object ?? now?.external)?.current);
  });
  const shown = texts.slice(0, maxShownMetrics).join(", ");
  return texts.length > maxShownMetrics ? `${shown} + ${texts.length - maxShownMetrics} more...` : shown;
}

export const horizontalPodAutoscalerStrategy: KindStrategy<HorizontalPodAutoscaler> = {
  applyDefaults,
  prepareForCreate(autoscaler) {
    autoscaler.status = { desiredReplicas: 0 };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    checkNotNegative(errors, "status.currentReplicas", status?.currentReplicas);
    checkNotNegative(errors, "status.desiredReplicas", status?.desiredReplicas);
    return errors;
  },
  columns: [
    nameColumn,
    column("Reference", ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`),
    column("Targets", targetsCell),
    column("MinPods", ({ spec }) => (spec.minReplicas === undefined ? "<unset>" : String(spec.minReplicas))),
    integerColumn("MaxPods", ({ spec }) => spec.maxReplicas),
    integerColumn("Replicas", ({ status }) => status?.currentReplicas ?? 0),
    ageColumn,
  ],
};
