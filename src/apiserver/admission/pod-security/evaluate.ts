// Runs the checks of a level and version on a pod.
import type { PodSpec } from "../../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import { baselineChecks } from "./baseline-checks.ts";
import type { Check, Violation } from "./check.ts";
import type { Level, LevelVersion } from "./levels.ts";
import { restrictedChecks } from "./restricted-checks.ts";

/** The version of Kubernetes that this is. */
const NEWEST_MINOR = 36;

/** A pod, or a template that pods are made of. */
export interface PodLike {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly spec?: DeepReadonly<PodSpec> | undefined;
}

/** Everything in which a pod goes beyond the level, baseline checks first. */
export function evaluatePod({ level, version }: LevelVersion, { metadata, spec }: PodLike): Violation[] {
  if (level === "privileged" || spec === undefined) return [];
  const minor = version === "latest" ? NEWEST_MINOR : Math.min(version, NEWEST_MINOR);
  const pod = { annotations: metadata?.annotations ?? {}, spec, version: minor };
  return checksOf(level, minor).flatMap((check) => check.violation(pod) ?? []);
}

function checksOf(level: Exclude<Level, "privileged">, minor: number): readonly Check[] {
  const exists = ({ since = 0 }: Check) => since <= minor;
  const baseline = baselineChecks.filter(exists);
  if (level === "baseline") return baseline;
  const restricted = restrictedChecks.filter(exists);
  const overridden = new Set(restricted.flatMap(({ overrides = [] }) => overrides));
  return [...baseline.filter(({ id }) => !overridden.has(id)), ...restricted];
}

/** `host namespaces (hostPID=true), privileged (…)` */
export function formatViolations(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`)).join(", ");
}
