// What the kinds with a pod template share: its rules, the selector's rules, the columns, the scale subresource.
import {
  type FieldError,
  field,
  formatLabelSelector,
  type LabelSelector,
  labelSelectorMatcher,
  SelectorError,
  validateLabelSelector,
} from "../../machinery/index.ts";
import { validatePodTemplate } from "../core/pod-spec/validate.ts";
import type { PodTemplateSpec } from "../types/core/v1.ts";

export interface WorkloadRules {
  readonly selector: LabelSelector | undefined;
  readonly template: PodTemplateSpec | undefined;
  /** As it stands in messages: `deployment`. */
  readonly kind: string;
  readonly kindTitle: string;
}

/** Adds the errors of selector and template, which must fit each other; pods of a workload run for ever. */
export function validateWorkload(errors: FieldError[], { selector, template, kind, kindTitle }: WorkloadRules): void {
  if (selector === undefined) errors.push(field.required("spec.selector"));
  else {
    errors.push(...validateLabelSelector(selector, "spec.selector"));
    if (isEmptySelector(selector)) errors.push(field.invalid("spec.selector", selector, `empty selector is invalid for ${kind}`));
  }
  if (template === undefined) return void errors.push(field.required("spec.template"));
  checkSelectorMatches(errors, selector, template);
  validatePodTemplate(errors, "spec.template", template);
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== undefined && restartPolicy !== "Always") {
    errors.push(field.notSupported("spec.template.spec.restartPolicy", restartPolicy, ["Always"]));
  }
  if (activeDeadlineSeconds !== undefined) {
    errors.push(field.forbidden("spec.template.spec.activeDeadlineSeconds", `activeDeadlineSeconds in ${kindTitle} is not Supported`));
  }
}

export function isEmptySelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

function checkSelectorMatches(errors: FieldError[], selector: LabelSelector | undefined, template: PodTemplateSpec): void {
  if (selector === undefined || isEmptySelector(selector)) return;
  const labels = template.metadata?.labels ?? {};
  try {
    if (labelSelectorMatcher(selector).matches(labels)) return;
  } catch (error) {
    // An invalid selector has been reported already.
    if (error instanceof SelectorError) return;
    throw error;
  }
  errors.push(field.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
}

/** The selector as the scale subresource and the columns show it. */
export function selectorText(selector: LabelSelector | undefined): string {
  return formatLabelSelector(selector);
}

/** A scale subresource has "" for a selector that selects nothing. */
export function scaleSelectorText(selector: LabelSelector | undefined): string {
  return selector === undefined || isEmptySelector(selector) ? "" : formatLabelSelector(selector);
}
