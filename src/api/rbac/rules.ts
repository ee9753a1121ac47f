// What Role and ClusterRole share, and what their bindings share: validation, names, the defaults of API groups.
import { type FieldError, field, isDns1123Subdomain } from "../../machinery/index.ts";
import type { PolicyRule, RoleRef, Subject } from "../types/rbac/v1.ts";
import { checkMessages, checkOneOf } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

/** What can stand in a path: RBAC's objects have names with colons. */
export function isPathSegment(name: string): string[] {
  if (name === ".") return ["may not be '.'"];
  if (name === "..") return ["may not be '..'"];
  return ["/", "%"].filter((text) => name.includes(text)).map((text) => `may not contain '${text}'`);
}

export function validateRules(
  rules: readonly PolicyRule[] | undefined,
  { isNamespaced }: { readonly isNamespaced: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  rules?.forEach((rule, i) => {
    const path = `rules[${i}]`;
    if (!rule.verbs?.length) errors.push(field.required(`${path}.verbs`, "verbs must contain at least one value"));
    if (rule.nonResourceURLs?.length) {
      if (isNamespaced) {
        errors.push(field.invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
      }
      if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
        const detail = "rules cannot apply to both regular resources and non-resource URLs";
        errors.push(field.invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, detail));
      }
      return;
    }
    if (!rule.apiGroups?.length) errors.push(field.required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
    if (!rule.resources?.length) errors.push(field.required(`${path}.resources`, "resource rules must supply at least one resource"));
  });
  return errors;
}

interface RoleBindingLike {
  roleRef: RoleRef;
  subjects?: Subject[] | undefined;
}

export function applyBindingDefaults(binding: RoleBindingLike): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= rbacGroup;
  }
}

export function validateBinding(binding: RoleBindingLike, kinds: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup, kind, name } = binding.roleRef;
  checkOneOf(errors, "roleRef.apiGroup", apiGroup, [rbacGroup]);
  if (!kinds.includes(kind ?? "")) errors.push(field.notSupported("roleRef.kind", kind ?? "", kinds));
  if (!name) errors.push(field.required("roleRef.name"));
  else checkMessages(errors, "roleRef.name", name, isPathSegment(name));
  binding.subjects?.forEach((subject, i) => {
    validateSubject(errors, `subjects[${i}]`, subject, { isNamespaced: kinds.includes("Role") });
  });
  return errors;
}

function validateSubject(errors: FieldError[], path: string, subject: Subject, { isNamespaced }: { readonly isNamespaced: boolean }): void {
  const { kind, name, namespace, apiGroup = "" } = subject;
  if (!name) errors.push(field.required(`${path}.name`));
  if (kind === "ServiceAccount") {
    if (name) checkMessages(errors, `${path}.name`, name, isDns1123Subdomain(name));
    checkOneOf(errors, `${path}.apiGroup`, apiGroup, [""]);
    if (!isNamespaced && !namespace) errors.push(field.required(`${path}.namespace`));
  } else if (kind === "User" || kind === "Group") checkOneOf(errors, `${path}.apiGroup`, apiGroup, [rbacGroup]);
  else errors.push(field.notSupported(`${path}.kind`, kind, ["Group", "ServiceAccount", "User"]));
}

export function validateBindingUpdate(binding: RoleBindingLike, old: RoleBindingLike): FieldError[] {
  return semanticEqual(binding.roleRef, old.roleRef) ? [] : [field.invalid("roleRef", binding.roleRef, "cannot change roleRef")];
}

/** The names of a binding's subjects of a kind, for the wide columns. */
export function subjectNames({ subjects = [] }: RoleBindingLike, kind: "User" | "Group" | "ServiceAccount"): string {
  return subjects
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");
}
