// What the `resize` subresource may change of a pod: cpu and memory of its containers and of itself, within its class.
import { type FieldError, field } from "../../machinery/index.ts";
import { podQosClass } from "../pod-state.ts";
import type { Container, Pod, PodSpec, ResourceRequirements } from "../types/core/v1.ts";
import { semanticEqual } from "../validation/equal.ts";

const RESIZABLE = ["cpu", "memory"] as const;
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Its errors come beside `validate`'s. */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return [field.forbidden("", "static pods cannot be resized")];
  const errors: FieldError[] = [];
  if (podQosClass(pod) !== podQosClass(old)) {
    errors.push(field.invalid("spec", podQosClass(old), "Pod QOS Class may not change as a result of resizing"));
  }
  if (!pod.spec || !old.spec) return errors;
  if (old.spec.resources !== undefined || pod.spec.resources !== undefined) {
    checkResources(errors, "spec.resources", pod.spec.resources, old.spec.resources);
  }
  for (const list of ["containers", "initContainers"] as const) checkContainers(errors, list, pod.spec, old.spec);
  return errors;
}

function checkContainers(errors: FieldError[], list: "containers" | "initContainers", spec: PodSpec, old: PodSpec): void {
  for (const [i, before] of (old[list] ?? []).entries()) {
    const container = spec[list]?.[i];
    const path = `spec.${list}[${i}].resources`;
    if (container === undefined) continue;
    checkResources(errors, path, container.resources, before.resources);
    if (list === "initContainers" && !isResizableInit(container) && !semanticEqual(container.resources, before.resources)) {
      errors.push(field.forbidden(path, "resources for non-sidecar init containers are immutable"));
    }
  }
}

function checkResources(
  errors: FieldError[],
  path: string,
  now: ResourceRequirements | undefined,
  before: ResourceRequirements | undefined,
): void {
  for (const kind of ["limits", "requests"] as const) {
    if (isAnyRemoved(now?.[kind], before?.[kind])) errors.push(field.forbidden(`${path}.${kind}`, `resource ${kind} cannot be removed`));
  }
  if (!semanticEqual(fixedPart(now), fixedPart(before))) errors.push(field.forbidden("spec", "only cpu and memory resources are mutable"));
}

function isResizableInit({ restartPolicy }: Container): boolean {
  return restartPolicy === "Always";
}

function isAnyRemoved(now: Readonly<Record<string, string>> | undefined, before: Readonly<Record<string, string>> | undefined): boolean {
  return Object.keys(before ?? {}).some((name) => now?.[name] === undefined);
}

function fixedPart(resources: ResourceRequirements | undefined): unknown {
  const without = (list: Readonly<Record<string, string>> | undefined) =>
    Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => !RESIZABLE.some((resizable) => resizable === name)));
  return { limits: without(resources?.limits), requests: without(resources?.requests), claims: resources?.claims };
}
