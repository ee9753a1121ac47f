// What an update may change of a pod.
import { type FieldError, field } from "../../machinery/index.ts";
import type { Container, EphemeralContainer, Pod, PodSpec, Toleration } from "../types/core/v1.ts";
import { semanticEqual } from "../validation/equal.ts";

const changeable =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  if (!pod.spec || !old.spec || pod.spec === old.spec) return errors;
  const { spec } = pod;
  if (!checkContainers(errors, spec, old.spec)) return errors;
  checkDeadline(errors, spec, old.spec);
  checkTolerations(errors, spec.tolerations, old.spec.tolerations);
  checkGates(errors, spec, old.spec);
  const difference = firstDifference(comparable(spec, old.spec), old.spec);
  if (difference !== undefined) errors.push(field.forbidden("spec", `${changeable}\n${difference}`));
  return errors;
}

function checkContainers(errors: FieldError[], spec: PodSpec, old: PodSpec): boolean {
  for (const list of ["containers", "initContainers"] as const) {
    const containers = spec[list] ?? [];
    if (containers.length !== (old[list]?.length ?? 0)) {
      errors.push(field.forbidden(`spec.${list}`, "pod updates may not add or remove containers"));
      return false;
    }
    containers.forEach((container, i) => {
      if (container.image === "") errors.push(field.required(`spec.${list}[${i}].image`));
    });
  }
  return true;
}

function checkDeadline(errors: FieldError[], spec: PodSpec, old: PodSpec): void {
  const path = "spec.activeDeadlineSeconds";
  const value = spec.activeDeadlineSeconds;
  if (old.activeDeadlineSeconds === undefined) return;
  if (value === undefined) errors.push(field.invalid(path, value, "must not update from a positive integer to nil value"));
  else if (value > old.activeDeadlineSeconds) errors.push(field.invalid(path, value, "must be less than or equal to previous value"));
}

function checkTolerations(errors: FieldError[], tolerations: readonly Toleration[] = [], old: readonly Toleration[] = []): void {
  for (const before of old) {
    const isKept = tolerations.some((now) => semanticEqual({ ...now, tolerationSeconds: before.tolerationSeconds }, before));
    if (!isKept) {
      errors.push(field.forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
      return;
    }
  }
}

function checkGates(errors: FieldError[], spec: PodSpec, old: PodSpec): void {
  const known = new Set(old.schedulingGates?.map(({ name }) => name));
  for (const { name } of spec.schedulingGates ?? []) {
    if (!known.has(name)) {
      errors.push(field.forbidden("spec.schedulingGates", `only deletion is allowed, but found new scheduling gate '${name}'`));
    }
  }
}

function withImages(containers: readonly Container[] | undefined, old: readonly Container[] | undefined): Container[] | undefined {
  return containers?.map((container, i) => ({ ...container, image: old?.[i]?.image }));
}

/** `spec` with everything that may change put back to what it was. */
function comparable(spec: PodSpec, old: PodSpec): PodSpec {
  const isGated = (old.schedulingGates?.length ?? 0) > 0;
  const isGraceRepaired = (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  return {
    ...spec,
    containers: withImages(spec.containers, old.containers) ?? [],
    initContainers: withImages(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
    terminationGracePeriodSeconds: isGraceRepaired ? old.terminationGracePeriodSeconds : spec.terminationGracePeriodSeconds,
    nodeSelector: isGated && extendsLabels(spec.nodeSelector, old.nodeSelector) ? old.nodeSelector : spec.nodeSelector,
    affinity: isGated && old.affinity === undefined ? undefined : spec.affinity,
  };
}

function extendsLabels(labels: Readonly<Record<string, string>> = {}, old: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(old).every(([key, value]) => labels[key] === value);
}

/** The first field that differs, as a short diff. */
function firstDifference(spec: PodSpec, old: PodSpec): string | undefined {
  for (const key of new Set([...Object.keys(spec), ...Object.keys(old)]) as Set<keyof PodSpec>) {
    if (semanticEqual(spec[key], old[key])) continue;
    return `- ${key}: ${JSON.stringify(old[key]) ?? "null"}\n+ ${key}: ${JSON.stringify(spec[key]) ?? "null"}\n`;
  }
  return undefined;
}

/** What the `ephemeralcontainers` subresource may do: add, and nothing else. Its errors come beside `validate`'s. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const now = new Map((pod.spec?.ephemeralContainers ?? []).map((container): [string, EphemeralContainer] => [container.name, container]));
  for (const [i, before] of (old.spec?.ephemeralContainers ?? []).entries()) {
    const container = now.get(before.name);
    const path = `spec.ephemeralContainers`;
    if (container === undefined) {
      errors.push(field.forbidden(path, `existing ephemeral containers "${before.name}" may not be removed\n`));
    } else if (!semanticEqual(container, before)) {
      errors.push(field.forbidden(`${path}[${i}]`, `existing ephemeral containers "${before.name}" may not be changed\n`));
    }
  }
  return errors;
}
