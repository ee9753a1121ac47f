// What a check of the Pod Security Standards looks at and finds, and how it names containers and values.
import type { Container, PodSpec, SecurityContext } from "../../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";

export interface CheckedPod {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: DeepReadonly<PodSpec>;
  /** The minor version whose rules apply. */
  readonly version: number;
}

/** Why a pod does not pass: a short reason, and what exactly. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export interface Check {
  readonly id: string;
  /** The first minor version that has the check. Default: all. */
  readonly since?: number;
  /** Checks of the level below that this one includes. */
  readonly overrides?: readonly string[];
  /** Undefined when the pod passes. */
  violation(pod: CheckedPod): Violation | undefined;
}

export type AnyContainer = DeepReadonly<
  Pick<Container, "name" | "ports" | "lifecycle" | "livenessProbe" | "readinessProbe" | "startupProbe">
> & {
  readonly securityContext?: DeepReadonly<SecurityContext> | undefined;
};

/** Init containers first, then the main ones, then ephemeral ones. */
export function containersOf({ spec }: Pick<CheckedPod, "spec">): readonly AnyContainer[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

export function plural(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}

/** `"a", "b"` */
export function quoted(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}

/** Each once, sorted. */
export function sorted(values: Iterable<string>): string[] {
  return [...new Set(values)].sort();
}

/** `container "a"`, `containers "a", "b"` */
export function namesOf(containers: readonly { readonly name: string }[]): string {
  return `${plural(containers.length, "container", "containers")} ${quoted(containers.map(({ name }) => name))}`;
}

/** `pod and container "a"`: who set something that is forbidden; undefined when nobody did. */
export function settersOf(isSetByPod: boolean, containers: readonly AnyContainer[]): string | undefined {
  const setters = [...(isSetByPod ? ["pod"] : []), ...(containers.length > 0 ? [namesOf(containers)] : [])];
  return setters.length === 0 ? undefined : setters.join(" and ");
}

/** Windows knows no capabilities, seccomp and privilege escalation; since 1.25 its pods may leave them out. */
export function isWindows({ spec, version }: CheckedPod): boolean {
  return version >= 25 && spec.os?.name === "windows";
}

/** In a user namespace of its own, a pod's root is nobody on the host. */
export function hasUserNamespace({ spec, version }: CheckedPod): boolean {
  return version >= 35 && spec.hostUsers === false;
}
