// What must hold for a CustomResourceDefinition beyond its schemas: names, versions, conversion, approval of protected groups.
// @see kubernetes `apiextensions-apiserver/pkg/apis/apiextensions/validation`
import { deepEqual, type FieldError, field, isDns1035Label, isDns1123Subdomain } from "../../machinery/index.ts";
import type { CustomResourceConversion, CustomResourceDefinition, CustomResourceDefinitionNames } from "../types/apiextensions/v1.ts";
import { checkMessages, checkOneOf } from "../validation/checks.ts";
import { isProtectedGroup, judgeApproval } from "./api-approval.ts";
import { validateVersion } from "./version-validation.ts";

/** All problems of a definition; what the rules of a schema cost is no question while it stays as it was in `old`. */
export function validateDefinition(definition: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const { spec } = definition;
  if (spec === undefined) return [field.required("spec")];
  const errors: FieldError[] = [];
  validateGroupAndName(errors, definition);
  if ((spec.scope ?? "") === "") errors.push(field.required("spec.scope"));
  else checkOneOf(errors, "spec.scope", spec.scope, ["Cluster", "Namespaced"]);
  validateNames(errors, spec.names, "spec.names");
  validateVersions(errors, definition, old);
  validateConversion(errors, spec.conversion);
  if (spec.preserveUnknownFields === true)
    errors.push(
      field.invalid(
        "spec.preserveUnknownFields",
        true,
        "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      ),
    );
  validateApproval(errors, definition);
  return errors;
}

function validateGroupAndName(errors: FieldError[], { metadata, spec: { group, names } }: CustomResourceDefinition): void {
  if (metadata.name !== `${names?.plural}.${group}`)
    errors.push(field.invalid("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group'));
  if ((group ?? "") === "") errors.push(field.required("spec.group"));
  else {
    checkMessages(errors, "spec.group", group, isDns1123Subdomain(group));
    if (!group.includes(".")) errors.push(field.invalid("spec.group", group, "should be a domain with at least one dot"));
  }
}

function validateNames(errors: FieldError[], names: CustomResourceDefinitionNames | undefined, path: string): void {
  if (names === undefined) {
    errors.push(field.required(path));
    return;
  }
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names;
  const check = (name: string, value: string | undefined, isRequired: boolean) => {
    if ((value ?? "") === "") {
      if (isRequired) errors.push(field.required(`${path}.${name}`));
    } else checkMessages(errors, `${path}.${name}`, value, isDns1035Label((value ?? "").toLowerCase()));
  };
  check("plural", plural, true);
  check("singular", singular, false);
  check("kind", kind, true);
  check("listKind", listKind, false);
  if (plural !== plural?.toLowerCase()) checkMessages(errors, `${path}.plural`, plural, isDns1035Label(plural ?? ""));
  for (const [list, members] of Object.entries({ shortNames, categories }))
    for (const [index, name] of members.entries()) checkMessages(errors, `${path}.${list}[${index}]`, name, isDns1035Label(name));
  if (kind !== undefined && kind === listKind)
    errors.push(field.invalid(`${path}.listKind`, listKind, "kind and listKind may not be the same"));
}

function validateVersions(errors: FieldError[], { spec }: CustomResourceDefinition, old: CustomResourceDefinition | undefined): void {
  const { versions = [], scope } = spec;
  if (versions.length === 0) {
    errors.push(field.required("spec.versions", "must have at least one version"));
    return;
  }
  const seen = new Set<string>();
  versions.forEach((version, index) => {
    const path = `spec.versions[${index}]`;
    checkMessages(errors, `${path}.name`, version.name, isDns1035Label(version.name ?? ""));
    if (seen.has(version.name)) errors.push(field.duplicate(`${path}.name`, version.name));
    seen.add(version.name);
    const before = old?.spec.versions.find(({ name }) => name === version.name);
    const hasOldRules = before !== undefined && deepEqual(before.schema, version.schema);
    errors.push(...validateVersion(version, { path, schemaPath: schemaPath(spec.versions, index), scope, hasOldRules }));
  });
  if (versions.filter(({ storage }) => storage === true).length !== 1)
    errors.push(
      field.invalid(
        "spec.versions",
        versions.map(({ name, served, storage }) => ({ name, served, storage })),
        "must have exactly one version marked as storage version",
      ),
    );
}

/** Upstream speaks of one schema for all versions when they have the same. */
function schemaPath(versions: CustomResourceDefinition["spec"]["versions"], index: number): string {
  const first = JSON.stringify(versions[0]?.schema);
  const isShared = versions.every(({ schema }) => JSON.stringify(schema) === first);
  return isShared ? "spec.validation.openAPIV3Schema" : `spec.versions[${index}].schema.openAPIV3Schema`;
}

function validateConversion(errors: FieldError[], conversion: CustomResourceConversion | undefined): void {
  if (conversion === undefined) return;
  const { strategy, webhook } = conversion;
  if ((strategy ?? "") === "") errors.push(field.required("spec.conversion.strategy"));
  else checkOneOf(errors, "spec.conversion.strategy", strategy, ["None", "Webhook"]);
  const configPath = "spec.conversion.webhookClientConfig";
  const versionsPath = "spec.conversion.conversionReviewVersions";
  if (strategy !== "Webhook") {
    if (webhook?.clientConfig !== undefined)
      errors.push(field.forbidden(configPath, "should not be set when strategy is not set to Webhook"));
    if ((webhook?.conversionReviewVersions ?? []).length > 0)
      errors.push(field.forbidden(versionsPath, "should not be set when strategy is not set to Webhook"));
    return;
  }
  const { clientConfig, conversionReviewVersions = [] } = webhook ?? {};
  if (clientConfig === undefined) errors.push(field.required(configPath, "required when strategy is set to Webhook"));
  else if ((clientConfig.url === undefined) === (clientConfig.service === undefined))
    errors.push(field.required(configPath, "exactly one of url or service is required"));
  if (conversionReviewVersions.length === 0) errors.push(field.required(versionsPath));
  else if (!conversionReviewVersions.some((version) => version === "v1" || version === "v1beta1"))
    errors.push(field.invalid(versionsPath, conversionReviewVersions, "must include at least one of v1, v1beta1"));
}

function validateApproval(errors: FieldError[], { metadata, spec }: CustomResourceDefinition): void {
  if (!isProtectedGroup(spec.group ?? "")) return;
  const path = "metadata.annotations[api-approved.kubernetes.io]";
  const judgement = judgeApproval(metadata.annotations);
  if (judgement.state === "missing") errors.push(field.required(path, judgement.message));
  if (judgement.state === "invalid")
    errors.push(field.invalid(path, metadata.annotations?.["api-approved.kubernetes.io"], judgement.message));
}
