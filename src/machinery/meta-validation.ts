// Validation of what every kind has: object metadata, labels, annotations, label selectors, owners, finalizers.
import { deepEqual } from "./equality.ts";
import { type FieldError, field } from "./field-error.ts";
import type { LabelSelector, LabelSelectorRequirement, ManagedFieldsEntry, ObjectMeta, OwnerReference } from "./meta/types.ts";
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidLabelValue } from "./names.ts";

/** The annotations of one object may hold this much. */
const annotationsMaxBytes = 256 * 1024;
const managerMaxBytes = 128;
const subresourceMaxBytes = 256;
const standardFinalizers = new Set(["kubernetes", "orphan", "foregroundDeletion"]);
const immutableMeta = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  /** Messages for a bad name; default: DNS subdomain. */
  readonly validateName?: ((name: string) => string[]) | undefined;
  /** Default `metadata`. */
  readonly path?: string | undefined;
  /** Whether finalizers need no domain, as upstream has it for custom resources and their definitions. */
  readonly allowsPlainFinalizers?: boolean | undefined;
}

/** Metadata of an object about to be created (its generateName is already used). */
export function validateObjectMeta(meta: ObjectMeta, rules: ObjectMetaRules): FieldError[] {
  const { namespaced, validateName = isDns1123Subdomain, path = "metadata" } = rules;
  const errors: FieldError[] = [];
  if (meta.generateName !== undefined && meta.generateName !== "") {
    const prefix = withoutTrailingDash(meta.generateName);
    for (const message of validateName(prefix)) errors.push(field.invalid(`${path}.generateName`, meta.generateName, message));
  }
  if (meta.name === undefined || meta.name === "") errors.push(field.required(`${path}.name`, "name or generateName is required"));
  else for (const message of validateName(meta.name)) errors.push(field.invalid(`${path}.name`, meta.name, message));
  errors.push(...validateNamespace(meta.namespace ?? "", namespaced, `${path}.namespace`));
  if ((meta.generation ?? 0) < 0) {
    errors.push(field.invalid(`${path}.generation`, meta.generation, "must be greater than or equal to 0"));
  }
  errors.push(...validateSharedMeta(meta, path), ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`, rules));
  return errors;
}

/** A generated name goes on after the dash, so that a prefix is judged as if it ended in a letter. */
function withoutTrailingDash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -1)}a` : prefix;
}

function validateNamespace(namespace: string, isNamespaced: boolean, path: string): FieldError[] {
  if (!isNamespaced) return namespace === "" ? [] : [field.forbidden(path, "not allowed on this type")];
  if (namespace === "") return [field.required(path)];
  return isDns1123Label(namespace).map((message) => field.invalid(path, namespace, message));
}

/** What creating and updating check alike. */
function validateSharedMeta(meta: ObjectMeta, path: string): FieldError[] {
  return [
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateManagedFields(meta.managedFields ?? [], `${path}.managedFields`),
  ];
}

/** Metadata of an object about to replace `old`. */
export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  rules: Pick<ObjectMetaRules, "path" | "allowsPlainFinalizers"> = {},
): FieldError[] {
  const { path = "metadata" } = rules;
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const known = new Set(old.finalizers);
    const added = (meta.finalizers ?? []).filter((finalizer) => !known.has(finalizer)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((name) => JSON.stringify(name)).join(", ")}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(field.forbidden(`${path}.finalizers`, detail));
    }
  }
  if (meta.resourceVersion === undefined || meta.resourceVersion === "") {
    errors.push(field.invalid(`${path}.resourceVersion`, "", "must be specified for an update"));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(field.invalid(`${path}.generation`, meta.generation ?? 0, "must not be decremented"));
  }
  for (const name of immutableMeta) errors.push(...validateImmutable(meta[name], old[name], `${path}.${name}`));
  errors.push(...validateSharedMeta(meta, path), ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`, rules));
  return errors;
}

/** `field is immutable` if the values differ. */
export function validateImmutable(value: unknown, old: unknown, path: string): FieldError[] {
  return deepEqual(value, old) ? [] : [field.invalid(path, value, "field is immutable")];
}

export function validateLabelName(name: string, path: string): FieldError[] {
  return isQualifiedName(name).map((message) => field.invalid(path, name, message));
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name in labels) {
    errors.push(...validateLabelName(name, path));
    const value = labels[name] ?? "";
    for (const message of isValidLabelValue(value)) errors.push(field.invalid(path, value, message));
  }
  return errors;
}

export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const name in annotations) {
    for (const message of isQualifiedName(name.toLowerCase())) errors.push(field.invalid(path, name, message));
    bytes += Buffer.byteLength(name) + Buffer.byteLength(annotations[name] ?? "");
  }
  if (bytes > annotationsMaxBytes) errors.push(field.tooLong(path, annotationsMaxBytes));
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller = "";
  for (const reference of references) {
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const name = `${reference.kind}/${reference.name}`;
    if (controller === "") controller = name;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
      errors.push(field.invalid(path, references, detail));
    }
  }
  return errors;
}

function validateOwnerReference(reference: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const version = (reference.apiVersion ?? "").split("/").at(-1);
  if (version === "") errors.push(field.invalid(`${path}.apiVersion`, reference.apiVersion, "version must not be empty"));
  for (const name of ["kind", "name", "uid"] as const) {
    const value = reference[name] ?? "";
    if (value === "") errors.push(field.invalid(`${path}.${name}`, value, "must not be empty"));
  }
  if (reference.apiVersion === "v1" && reference.kind === "Event") {
    errors.push(field.invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner"));
  }
  return errors;
}

function validateFinalizers(
  finalizers: readonly string[],
  path: string,
  { allowsPlainFinalizers = false }: Pick<ObjectMetaRules, "allowsPlainFinalizers">,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, finalizer] of finalizers.entries()) {
    for (const message of isQualifiedName(finalizer)) errors.push(field.invalid(path, finalizer, message));
    if (!allowsPlainFinalizers && !finalizer.includes("/") && !standardFinalizers.has(finalizer)) {
      const detail = "name is neither a standard finalizer name nor is it fully qualified";
      errors.push(field.invalid(`${path}[${index}]`, finalizer, detail));
    }
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(field.invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  return errors;
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, entry] of entries.entries()) {
    const at = `${path}[${index}]`;
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      errors.push(field.invalid(`${at}.operation`, entry.operation ?? "", "must be `Apply` or `Update`"));
    }
    if (entry.fieldsType !== undefined && entry.fieldsType !== "" && entry.fieldsType !== "FieldsV1") {
      errors.push(field.invalid(`${at}.fieldsType`, entry.fieldsType, "must be `FieldsV1`"));
    }
    errors.push(...validateFieldManager(entry.manager ?? "", `${at}.manager`));
    if (Buffer.byteLength(entry.subresource ?? "") > subresourceMaxBytes) {
      errors.push(field.tooLong(`${at}.subresource`, subresourceMaxBytes));
    }
  }
  return errors;
}

/** A field manager's name: at most 128 bytes, printable. */
export function validateFieldManager(manager: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > managerMaxBytes) errors.push(field.tooLong(path, managerMaxBytes));
  for (const match of manager.matchAll(/[^\P{C}\p{Cn}]|[^ \P{Z}]/gu)) {
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    errors.push(field.invalid(path, manager, `invalid character U+${code} (at position ${match.index})`));
  }
  return errors;
}

export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (selector === undefined) return [];
  const errors = validateLabels(selector.matchLabels, `${path}.matchLabels`);
  for (const [index, requirement] of (selector.matchExpressions ?? []).entries()) {
    errors.push(...validateRequirement(requirement, `${path}.matchExpressions[${index}]`));
  }
  return errors;
}

function validateRequirement({ key, operator, values = [] }: LabelSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) errors.push(field.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      errors.push(field.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else errors.push(field.invalid(`${path}.operator`, operator, "not a valid selector operator"));
  errors.push(...validateLabelName(key, `${path}.key`));
  for (const [index, value] of values.entries()) {
    for (const message of isValidLabelValue(value)) errors.push(field.invalid(`${path}.values[${index}]`, value, message));
  }
  return errors;
}
