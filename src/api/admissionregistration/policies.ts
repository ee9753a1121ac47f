// Admission policies and their bindings: defaults, validation, status, columns.
import { type FieldError, field, isDns1123Subdomain } from "../../machinery/index.ts";
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
import { checkOneOf, checkRequiredName } from "../validation/checks.ts";
import { dropStatus, keepSpec, keepStatus } from "../validation/prepare.ts";
import {
  checkAuditAnnotations,
  checkMatch,
  checkMutations,
  checkParamKind,
  checkParamRef,
  checkPolicyExpressions,
  checkValidations,
} from "./policy-validation.ts";
import { applyMatchDefaults } from "./rules.ts";

const paramKindText = (kind: ParamKind | undefined): string => (kind ? `${kind.apiVersion}/${kind.kind}` : "<unset>");

function paramRefText(ref: ParamRef | undefined): string {
  if (!ref) return "<unset>";
  const name = ref.name ?? "*";
  return ref.namespace ? `${ref.namespace}/${name}` : name;
}

const actions = ["Audit", "Deny", "Warn"];

function checkValidationActions(errors: FieldError[], path: string, given: readonly string[] | undefined): void {
  if (!given?.length) errors.push(field.required(path, "at least one validation action is required"));
  const seen = new Set<string>();
  given?.forEach((action, i) => {
    checkOneOf(errors, `${path}[${i}]`, action, actions);
    if (seen.has(action)) errors.push(field.duplicate(`${path}[${i}]`, action));
    seen.add(action);
  });
  if (!seen.has("Deny") || !seen.has("Warn")) return;
  const why =
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
  errors.push(field.invalid(path, given, why));
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
  validate({ spec, metadata }) {
    const errors: FieldError[] = [];
    checkOneOf(errors, "spec.failurePolicy", spec?.failurePolicy, ["Fail", "Ignore"]);
    checkParamKind(errors, "spec.paramKind", spec?.paramKind);
    checkMatch(errors, "spec.matchConstraints", spec?.matchConstraints, { isPolicy: true });
    if (!spec?.validations?.length && !spec?.auditAnnotations?.length) {
      errors.push(field.required("spec.validations", "validations or auditAnnotations must be non-empty; "));
    }
    const environments = checkPolicyExpressions(errors, "spec", spec ?? {});
    checkValidations(errors, "spec.validations", spec?.validations, environments);
    checkAuditAnnotations(errors, "spec.auditAnnotations", spec?.auditAnnotations, { environments, policy: metadata.name ?? "" });
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
    checkRequiredName(errors, "spec.policyName", spec.policyName, isDns1123Subdomain);
    checkParamRef(errors, "spec.paramRef", spec.paramRef);
    checkMatch(errors, "spec.matchResources", spec.matchResources, { isPolicy: false });
    checkValidationActions(errors, "spec.validationActions", spec.validationActions);
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
    checkOneOf(errors, "spec.reinvocationPolicy", spec?.reinvocationPolicy, ["IfNeeded", "Never"]);
    checkParamKind(errors, "spec.paramKind", spec?.paramKind);
    checkMatch(errors, "spec.matchConstraints", spec?.matchConstraints, { isPolicy: true });
    const environments = checkPolicyExpressions(errors, "spec", spec ?? {});
    checkMutations(errors, "spec.mutations", spec?.mutations, environments);
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
  validate({ spec }) {
    const errors: FieldError[] = [];
    checkRequiredName(errors, "spec.policyName", spec?.policyName, isDns1123Subdomain);
    checkParamRef(errors, "spec.paramRef", spec?.paramRef);
    checkMatch(errors, "spec.matchResources", spec?.matchResources, { isPolicy: false });
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    column("PolicyName", ({ spec }) => spec?.policyName ?? ""),
    column("ParamRef", ({ spec }) => paramRefText(spec?.paramRef)),
    ageColumn,
  ],
};
