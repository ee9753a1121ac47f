// Validation of what steers scheduling: affinity, tolerations, topology spread.
import { type FieldError, field, isQualifiedName, isValidLabelValue, validateLabelSelector } from "../../../machinery/index.ts";
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "../../types/core/v1.ts";
import { checkMessages, checkOneOf } from "../../validation/checks.ts";

const taintEffects = ["NoExecute", "NoSchedule", "PreferNoSchedule"];

export function validateTolerations(errors: FieldError[], path: string, tolerations: readonly Toleration[] | undefined): void {
  tolerations?.forEach((toleration, i) => {
    const { key, operator, value, effect } = toleration;
    const itemPath = `${path}[${i}]`;
    if (key) checkMessages(errors, `${itemPath}.key`, key, isQualifiedName(key));
    else if (operator !== "Exists") {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(field.invalid(`${itemPath}.operator`, operator ?? "", detail));
    }
    if (toleration.tolerationSeconds !== undefined && effect !== "NoExecute") {
      errors.push(field.invalid(`${itemPath}.effect`, effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    if (!operator || operator === "Equal") {
      const messages = isValidLabelValue(value ?? "");
      if (messages.length > 0) errors.push(field.invalid(`${itemPath}.operator`, value, messages.join(";")));
    } else if (operator === "Exists") {
      if (value) errors.push(field.invalid(`${itemPath}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
    } else checkOneOf(errors, `${itemPath}.operator`, operator, ["Equal", "Exists"]);
    if (effect) checkOneOf(errors, `${itemPath}.effect`, effect, taintEffects);
  });
}

export function validateTopologySpread(errors: FieldError[], path: string, constraints: readonly TopologySpreadConstraint[]): void {
  const seen = new Set<string>();
  constraints.forEach((constraint, i) => {
    const { maxSkew, minDomains, topologyKey, whenUnsatisfiable } = constraint;
    const itemPath = `${path}[${i}]`;
    if (!(maxSkew > 0)) errors.push(field.invalid(`${itemPath}.maxSkew`, maxSkew ?? 0, "must be greater than zero"));
    if (!topologyKey) errors.push(field.required(`${itemPath}.topologyKey`, "can not be empty"));
    else checkMessages(errors, `${itemPath}.topologyKey`, topologyKey, isQualifiedName(topologyKey));
    checkOneOf(errors, `${itemPath}.whenUnsatisfiable`, whenUnsatisfiable ?? "", ["DoNotSchedule", "ScheduleAnyway"]);
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(pair)) errors.push(field.duplicate(`${itemPath}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(field.invalid(`${itemPath}.minDomains`, minDomains, "must be greater than zero"));
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(field.invalid(`${itemPath}.minDomains`, minDomains, detail));
      }
    }
    checkOneOf(errors, `${itemPath}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ["Honor", "Ignore"]);
    checkOneOf(errors, `${itemPath}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ["Honor", "Ignore"]);
    errors.push(...validateLabelSelector(constraint.labelSelector, `${itemPath}.labelSelector`));
  });
}

export function validateAffinity(errors: FieldError[], path: string, affinity: Affinity | undefined): void {
  if (!affinity) return;
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  if (nodeAffinity) {
    const nodePath = `${path}.nodeAffinity`;
    const required = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    if (required) validateNodeSelector(errors, `${nodePath}.requiredDuringSchedulingIgnoredDuringExecution`, required);
    nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
      const termPath = `${nodePath}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      checkWeight(errors, `${termPath}.weight`, term.weight);
      validateNodeSelectorTerm(errors, `${termPath}.preference`, term.preference);
    });
  }
  if (podAffinity) validatePodAffinity(errors, `${path}.podAffinity`, podAffinity);
  if (podAntiAffinity) validatePodAffinity(errors, `${path}.podAntiAffinity`, podAntiAffinity);
}

export function validateNodeSelector(errors: FieldError[], path: string, selector: NodeSelector): void {
  const terms = selector.nodeSelectorTerms;
  if (!terms?.length) errors.push(field.required(`${path}.nodeSelectorTerms`, "must have at least one node selector term"));
  terms?.forEach((term, i) => {
    validateNodeSelectorTerm(errors, `${path}.nodeSelectorTerms[${i}]`, term);
  });
}

function validateNodeSelectorTerm(errors: FieldError[], path: string, term: NodeSelectorTerm = {}): void {
  term.matchExpressions?.forEach((requirement, i) => {
    const itemPath = `${path}.matchExpressions[${i}]`;
    validateNodeRequirement(errors, itemPath, requirement);
    checkMessages(errors, `${itemPath}.key`, requirement.key, isQualifiedName(requirement.key));
  });
  term.matchFields?.forEach((requirement, i) => {
    const itemPath = `${path}.matchFields[${i}]`;
    const { key, operator, values } = requirement;
    if (operator !== "In" && operator !== "NotIn")
      errors.push(field.invalid(`${itemPath}.operator`, operator, "not a valid selector operator"));
    else if (values?.length !== 1)
      errors.push(
        field.required(`${itemPath}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
      );
    if (key !== "metadata.name") errors.push(field.invalid(`${itemPath}.key`, key, "not a valid field selector key"));
  });
}

function validateNodeRequirement(errors: FieldError[], path: string, { operator, values }: NodeSelectorRequirement): void {
  const count = values?.length ?? 0;
  if (operator === "In" || operator === "NotIn") {
    if (count === 0) errors.push(field.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (count > 0) errors.push(field.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === "Gt" || operator === "Lt") {
    if (count !== 1) errors.push(field.required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else errors.push(field.invalid(`${path}.operator`, operator, "not a valid selector operator"));
}

function checkWeight(errors: FieldError[], path: string, weight: number): void {
  if (!(weight >= 1 && weight <= 100)) errors.push(field.invalid(path, weight, "must be in the range 1-100"));
}

function validatePodAffinity(errors: FieldError[], path: string, affinity: PodAffinity): void {
  affinity.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
    validatePodAffinityTerm(errors, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, term);
  });
  affinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
    const termPath = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    checkWeight(errors, `${termPath}.weight`, term.weight);
    validatePodAffinityTerm(errors, `${termPath}.podAffinityTerm`, term.podAffinityTerm);
  });
}

function validatePodAffinityTerm(errors: FieldError[], path: string, term: PodAffinityTerm = { topologyKey: "" }): void {
  if (term.labelSelector) errors.push(...validateLabelSelector(term.labelSelector, `${path}.labelSelector`));
  if (term.namespaceSelector) errors.push(...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`));
  if (!term.topologyKey) errors.push(field.required(`${path}.topologyKey`, "can not be empty"));
  else checkMessages(errors, `${path}.topologyKey`, term.topologyKey, isQualifiedName(term.topologyKey));
}
