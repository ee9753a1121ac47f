// Validation of the security contexts of pods and containers.
import { type FieldError, field } from "../../../machinery/index.ts";
import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext } from "../../types/core/v1.ts";
import { checkNoClimbing, checkOneOf } from "../../validation/checks.ts";

const maxId = 2147483647;
const sysctlPattern = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;

function checkId(errors: FieldError[], path: string, id: number | undefined): void {
  if (id !== undefined && !(id >= 0 && id <= maxId)) errors.push(field.invalid(path, id, `must be between 0 and ${maxId}, inclusive`));
}

function validateSeccomp(errors: FieldError[], path: string, profile: SeccompProfile | undefined): void {
  if (profile) validateProfile(errors, path, { ...profile, kind: "seccomp" });
}

function validateAppArmor(errors: FieldError[], path: string, profile: AppArmorProfile | undefined): void {
  if (profile) validateProfile(errors, path, { ...profile, kind: "AppArmor" });
}

/** Both kinds of profiles: `localhostProfile` belongs to type Localhost and to no other. */
function validateProfile(errors: FieldError[], path: string, profile: SeccompProfile & { readonly kind: "seccomp" | "AppArmor" }): void {
  const { type, localhostProfile, kind } = profile;
  if (!type) {
    errors.push(
      field.required(
        `${path}.type`,
        kind === "seccomp" ? "type is required when seccompProfile is set" : "type is required when appArmorProfile is set",
      ),
    );
  } else if (type === "Localhost") {
    if (!localhostProfile) errors.push(field.required(`${path}.localhostProfile`, `must be set when ${kind} type is Localhost`));
    else if (kind === "seccomp") checkNoClimbing(errors, `${path}.localhostProfile`, localhostProfile);
  } else {
    checkOneOf(errors, `${path}.type`, type, ["Localhost", "RuntimeDefault", "Unconfined"]);
    if (localhostProfile !== undefined) {
      errors.push(field.invalid(`${path}.localhostProfile`, localhostProfile, `can only be set when ${kind} type is Localhost`));
    }
  }
}

export function validatePodSecurityContext(errors: FieldError[], path: string, context: PodSecurityContext | undefined): void {
  if (!context) return;
  checkId(errors, `${path}.fsGroup`, context.fsGroup);
  checkId(errors, `${path}.runAsUser`, context.runAsUser);
  checkId(errors, `${path}.runAsGroup`, context.runAsGroup);
  context.supplementalGroups?.forEach((group, i) => {
    checkId(errors, `${path}.supplementalGroups[${i}]`, group);
  });
  checkOneOf(errors, `${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]);
  checkOneOf(errors, `${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ["Merge", "Strict"]);
  validateSeccomp(errors, `${path}.seccompProfile`, context.seccompProfile);
  validateAppArmor(errors, `${path}.appArmorProfile`, context.appArmorProfile);
  const names = new Set<string>();
  context.sysctls?.forEach(({ name = "" }, i) => {
    const namePath = `${path}.sysctls[${i}].name`;
    if (name === "") errors.push(field.required(namePath));
    else if (name.length > 253 || !sysctlPattern.test(name)) {
      errors.push(
        field.invalid(
          namePath,
          name,
          "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
        ),
      );
    } else if (names.has(name)) errors.push(field.duplicate(namePath, name));
    names.add(name);
  });
}

export function validateSecurityContext(errors: FieldError[], path: string, context: SecurityContext | undefined): void {
  if (!context) return;
  checkId(errors, `${path}.runAsUser`, context.runAsUser);
  checkId(errors, `${path}.runAsGroup`, context.runAsGroup);
  checkOneOf(errors, `${path}.procMount`, context.procMount, ["Default", "Unmasked"]);
  validateSeccomp(errors, `${path}.seccompProfile`, context.seccompProfile);
  validateAppArmor(errors, `${path}.appArmorProfile`, context.appArmorProfile);
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged) {
    errors.push(field.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
  }
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
    errors.push(field.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
  }
}
