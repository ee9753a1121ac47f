// Admission policies and their bindings: defaults, status, columns.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../types/admissionregistration/v1.ts";
import { checkOneOf } from "../validation/checks.ts";
import { dropStatus, keepSpec, keepStatus } from "../validation/prepare.ts";
import { applyMatchDefaults, validateRules } from "./rules.ts";

const paramKindText = (kind: ParamKind | undefined): string => (kind ? `${kind.apiVersion}/${kind.kind}` : "<unset>");

function paramRefText(ref: ParamRef | undefined): string {
  if (!ref) return "<unset>";
  const name = ref.name ?? "*";
  return ref.namespace ? `${ref.namespace}/${name}` : name;
}

export const validatingAdmissionPolicyStrategy: KindStrategy<ValidatingAdmissionPolicy> = {
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= "Fail";
    applyMatchDefaults(spec.matchConstraints);
  },
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ spec }) {
    const errors: FieldError[] = [];
    checkOneOf(errors, "spec.failurePolicy", spec?.failurePolicy, ["Fail", "Ignore"]);
    if (!spec?.matchConstraints) errors.push(field.required("spec.matchConstraints"));
    else if (!spec.matchConstraints.resourceRules?.length) errors.push(field.required("spec.matchConstraints.resourceRules"));
    validateRules(errors, "spec.matchConstraints.resourceRules", spec?.matchConstraints?.resourceRules);
    if (!spec?.validations?.length && !spec?.auditAnnotations?.length) {
      errors.push(field.required("spec.validations", "validations or auditAnnotations must be non-empty; "));
    }
    spec?.validations?.forEach(({ expression }, i) => {
      if (!expression?.trim()) errors.push(field.required(`spec.validations[${i}].expression`, "expression is not specified"));
    });
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    integerColumn("Validations", ({ spec }) => spec?.validations?.length ?? 0),
    column("ParamKind", ({ spec }) => paramKindText(spec?.paramKind)),
    ageColumn,
  ],
};

export const validatingAdmissionPolicyBindingStrategy: KindStrategy<ValidatingAdmissionPolicyBinding> = {
  applyDefaults: ({ spec }) => applyMatchDefaults(spec?.matchResources),
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec.policyName) errors.push(field.required("spec.policyName"));
    if (!spec.validationActions?.length)
      errors.push(field.required("spec.validationActions", "at least one validation action is required"));
    spec.validationActions?.forEach((action, i) => {
      checkOneOf(errors, `spec.validationActions[${i}]`, action, ["Audit", "Deny", "Warn"]);
    });
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    column("PolicyName", ({ spec }) => spec.policyName),
    column("ParamRef", ({ spec }) => paramRefText(spec.paramRef)),
    ageColumn,
  ],
};

export const mutatingAdmissionPolicyStrategy: KindStrategy<MutatingAdmissionPolicy> = {
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= "Fail";
    spec.reinvocationPolicy ??= "Never";
    applyMatchDefaults(spec.matchConstraints);
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    checkOneOf(errors, "spec.failurePolicy", spec?.failurePolicy, ["Fail", "Ignore"]);
    if (!spec?.matchConstraints) errors.push(field.required("spec.matchConstraints"));
    if (!spec?.mutations?.length) errors.push(field.required("spec.mutations", "mutations must contain at least one item"));
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    integerColumn("Mutations", ({ spec }) => spec?.mutations?.length ?? 0),
    column("ParamKind", ({ spec }) => paramKindText(spec?.paramKind)),
    ageColumn,
  ],
};

export const mutatingAdmissionPolicyBindingStrategy: KindStrategy<MutatingAdmissionPolicyBinding> = {
  applyDefaults: ({ spec }) => applyMatchDefaults(spec?.matchResources),
  validate: ({ spec }) => (spec?.policyName ? [] : [field.required("spec.policyName")]),
  hasGeneration: true,
  columns: [
    nameColumn,
    column("PolicyName", ({ spec }) => spec?.policyName ?? ""),
    column("ParamRef", ({ spec }) => paramRefText(spec?.paramRef)),
    ageColumn,
  ],
};
