// Validation of an autoscaler's metrics: one source each, with a target that fits it.
import { type FieldError, field, isDns1123Label, quantityMilli, validateLabelSelector } from "../../machinery/index.ts";
import type { CrossVersionObjectReference, MetricIdentifier, MetricSpec, MetricTarget } from "../types/autoscaling/v2.ts";
import { checkRequiredName } from "../validation/checks.ts";

const sources = ["object", "external", "pods", "resource", "containerResource"] as const;

const sourceOfType: Readonly<Record<string, (typeof sources)[number]>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};

export function validateMetric(errors: FieldError[], path: string, metric: MetricSpec): void {
  if (!metric.type) errors.push(field.required(`${path}.type`, "must specify a metric source type"));
  const expected = sourceOfType[metric.type];
  if (expected === undefined) errors.push(field.notSupported(`${path}.type`, metric.type, Object.keys(sourceOfType)));
  const present = sources.filter((name) => metric[name] !== undefined);
  const [first] = present;
  if (first !== undefined) validateSource(errors, `${path}.${first}`, { [first]: metric[first], type: metric.type });
  if (expected !== undefined && metric[expected] === undefined) {
    errors.push(field.required(`${path}.${expected}`, "must populate information for the given metric source"));
  }
  if (present.length === 1) return;
  for (const name of present) {
    if (name !== expected) errors.push(field.forbidden(`${path}.${name}`, "must populate the given metric source only"));
  }
}

/** `metric` has the one source that stands at `path`. */
function validateSource(errors: FieldError[], path: string, metric: MetricSpec): void {
  const { object, external, pods, resource, containerResource } = metric;
  if (object !== undefined) {
    validateReference(errors, `${path}.describedObject`, object.describedObject);
    validateIdentifier(errors, `${path}.metric`, object.metric);
    validateTarget(errors, `${path}.target`, object.target);
    if (object.target?.value === undefined && object.target?.averageValue === undefined) {
      errors.push(field.required(`${path}.target.averageValue`, "must set either a target value or averageValue"));
    }
  }
  if (external !== undefined) {
    validateIdentifier(errors, `${path}.metric`, external.metric);
    validateTarget(errors, `${path}.target`, external.target);
    const { value, averageValue } = external.target ?? {};
    if (value === undefined && averageValue === undefined) {
      errors.push(field.required(`${path}.target.averageValue`, "must set either a target value for metric or a per-pod target"));
    }
    if (value !== undefined && averageValue !== undefined) {
      errors.push(field.forbidden(`${path}.target.value`, "may not set both a target value for metric and a per-pod target"));
    }
  }
  if (pods !== undefined) {
    validateIdentifier(errors, `${path}.metric`, pods.metric);
    validateTarget(errors, `${path}.target`, pods.target);
    if (pods.target?.averageValue === undefined) {
      errors.push(field.required(`${path}.target.averageValue`, "must specify a positive target averageValue"));
    }
  }
  if (resource !== undefined) validateResource(errors, path, resource);
  if (containerResource !== undefined) {
    if (!containerResource.container) errors.push(field.required(`${path}.container`, "must specify a container"));
    else checkRequiredName(errors, `${path}.container`, containerResource.container, isDns1123Label);
    validateResource(errors, path, containerResource);
  }
}

function validateResource(
  errors: FieldError[],
  path: string,
  { name, target }: { readonly name: string; readonly target: MetricTarget },
): void {
  if (!name) errors.push(field.required(`${path}.name`, "must specify a resource name"));
  validateTarget(errors, `${path}.target`, target);
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = "must set either a target raw value or a target utilization";
    errors.push(field.required(`${path}.target.averageUtilization`, detail));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.push(field.forbidden(`${path}.target.averageValue`, "may not set both a target raw value and a target utilization"));
  }
}

function validateTarget(errors: FieldError[], path: string, target: MetricTarget | undefined): void {
  const { type = "", value, averageValue, averageUtilization } = target ?? {};
  if (type === "") errors.push(field.required(`${path}.type`, "must specify a metric target type"));
  if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    errors.push(field.invalid(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"));
  }
  if (value !== undefined && quantityMilli(value) <= 0) errors.push(field.invalid(`${path}.value`, value, "must be positive"));
  if (averageValue !== undefined && quantityMilli(averageValue) <= 0) {
    errors.push(field.invalid(`${path}.averageValue`, averageValue, "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(field.invalid(`${path}.averageUtilization`, averageUtilization, "must be greater than 0"));
  }
}

function validateIdentifier(errors: FieldError[], path: string, metric: MetricIdentifier | undefined): void {
  if (!metric?.name) errors.push(field.required(`${path}.name`, "must specify a metric name"));
  else checkRequiredName(errors, `${path}.name`, metric.name, pathSegmentProblems);
  if (metric?.selector !== undefined) errors.push(...validateLabelSelector(metric.selector, `${path}.selector`));
}

/** What an autoscaler points to: it becomes part of a path. */
export function validateReference(errors: FieldError[], path: string, reference: CrossVersionObjectReference | undefined): void {
  checkRequiredName(errors, `${path}.kind`, reference?.kind, pathSegmentProblems);
  checkRequiredName(errors, `${path}.name`, reference?.name, pathSegmentProblems);
}

function pathSegmentProblems(text: string): string[] {
  if (text === "." || text === "..") return [`may not be '${text}'`];
  return ["/", "%"].filter((character) => text.includes(character)).map((character) => `may not contain '${character}'`);
}
