// PodGroup and Workload: pods that are scheduled together, and the templates that such groups are made from.
import { type FieldError, field, isDns1123Label, isDns1123Subdomain } from "../../machinery/index.ts";
import { ageColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { PodGroup, PodGroupResourceClaim, PodGroupTemplate, Workload } from "../types/scheduling/v1alpha2.ts";
import { checkImmutable, checkOneOf, checkRequiredName } from "../validation/checks.ts";
import { dropStatus, keepSpec, keepStatus } from "../validation/prepare.ts";

const MAX_TEMPLATES = 8;
const MAX_CLAIMS = 4;

/** What groups and their templates have in common. */
type Grouping = Pick<PodGroupTemplate, "schedulingPolicy" | "resourceClaims" | "disruptionMode">;

function checkGrouping(errors: FieldError[], path: string, { schedulingPolicy, resourceClaims = [], disruptionMode }: Grouping): void {
  const { basic, gang } = schedulingPolicy ?? {};
  const policyPath = `${path}.schedulingPolicy`;
  if (basic === undefined && gang === undefined) errors.push(field.invalid(policyPath, "", "must specify one of: `basic`, `gang`"));
  if (basic !== undefined && gang !== undefined)
    errors.push(field.invalid(policyPath, "{`basic`, `gang`}", "must specify exactly one of: `basic`, `gang`"));
  if (gang !== undefined && !gang.minCount) errors.push(field.required(`${policyPath}.gang.minCount`));
  else if (gang !== undefined && gang.minCount < 1)
    errors.push(field.invalid(`${policyPath}.gang.minCount`, gang.minCount, "must be greater than or equal to 1"));
  checkOneOf(errors, `${path}.disruptionMode`, disruptionMode, ["Pod", "PodGroup"]);
  checkClaims(errors, `${path}.resourceClaims`, resourceClaims);
}

function checkClaims(errors: FieldError[], path: string, claims: readonly PodGroupResourceClaim[]): void {
  if (claims.length > MAX_CLAIMS) errors.push(field.tooMany(path, claims.length, MAX_CLAIMS));
  for (const [i, { name, resourceClaimName, resourceClaimTemplateName }] of claims.entries()) {
    checkRequiredName(errors, `${path}[${i}].name`, name, isDns1123Label);
    const sources = [resourceClaimName, resourceClaimTemplateName].filter((source) => source !== undefined);
    if (sources.length !== 1) {
      const detail = `must specify ${sources.length === 0 ? "one" : "exactly one"} of: \`resourceClaimName\`, \`resourceClaimTemplateName\``;
      errors.push(field.invalid(`${path}[${i}]`, "", detail));
    }
  }
}

export const podGroupStrategy: KindStrategy<PodGroup> = {
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ spec }) {
    const errors: FieldError[] = [];
    const reference = spec?.podGroupTemplateRef?.workload;
    if (spec?.podGroupTemplateRef !== undefined && reference === undefined)
      errors.push(field.invalid("spec.podGroupTemplateRef", "", "must specify one of: `workload`"));
    if (reference !== undefined) {
      const path = "spec.podGroupTemplateRef.workload";
      checkRequiredName(errors, `${path}.workloadName`, reference.workloadName, isDns1123Subdomain);
      checkRequiredName(errors, `${path}.podGroupTemplateName`, reference.podGroupTemplateName, isDns1123Label);
    }
    checkGrouping(errors, "spec", spec ?? {});
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    for (const name of Object.keys({ ...old, ...spec }) as (keyof PodGroup["spec"])[]) {
      checkImmutable(errors, `spec.${name}`, spec[name], old[name]);
    }
    return errors;
  },
  hasGeneration: true,
  columns: [nameColumn, ageColumn],
};

export const workloadStrategy: KindStrategy<Workload> = {
  validate({ spec }) {
    const errors: FieldError[] = [];
    const { controllerRef, podGroupTemplates = [] } = spec ?? {};
    if (controllerRef !== undefined && !controllerRef.kind) errors.push(field.required("spec.controllerRef.kind"));
    if (controllerRef !== undefined && !controllerRef.name) errors.push(field.required("spec.controllerRef.name"));
    const path = "spec.podGroupTemplates";
    if (podGroupTemplates.length === 0) errors.push(field.required(path));
    if (podGroupTemplates.length > MAX_TEMPLATES) errors.push(field.tooMany(path, podGroupTemplates.length, MAX_TEMPLATES));
    const names = podGroupTemplates.map(({ name }) => name);
    for (const [i, template] of podGroupTemplates.entries()) {
      checkRequiredName(errors, `${path}[${i}].name`, template.name, isDns1123Label);
      if (names.indexOf(template.name) < i) errors.push(field.duplicate(`${path}[${i}]`, { name: template.name }));
      checkGrouping(errors, `${path}[${i}]`, template);
    }
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.podGroupTemplates", spec.podGroupTemplates, old.podGroupTemplates);
    if (old.controllerRef !== undefined) checkImmutable(errors, "spec.controllerRef", spec.controllerRef, old.controllerRef);
    return errors;
  },
  hasGeneration: true,
  columns: [nameColumn, ageColumn],
};
