// Role: permissions within a namespace.
import { column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Role } from "../types/rbac/v1.ts";
import { isPathSegment, validateRules } from "./rules.ts";

export const roleStrategy: KindStrategy<Role> = {
  validate: (role) => validateRules(role.rules, { isNamespaced: true }),
  validateName: isPathSegment,
  allowsCreateOnUpdate: true,
  columns: [nameColumn, column("Created At", (role) => role.metadata.creationTimestamp ?? "")],
};
