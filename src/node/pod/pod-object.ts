// A pod's specification as the node reads it: kinds of containers, restart rules, names.
import type { Container, EphemeralContainer, Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type PodObject = DeepReadonly<Pod>;
/** A regular, init or ephemeral container. */
export type ContainerSpec = DeepReadonly<Container> | DeepReadonly<EphemeralContainer>;
export type ContainerRole = "init" | "sidecar" | "main" | "ephemeral";

export interface RoledContainer {
  readonly role: ContainerRole;
  readonly spec: ContainerSpec;
}

/** An init container that keeps running beside the main containers. */
export function isSidecar(container: ContainerSpec): boolean {
  return container.restartPolicy === "Always";
}

/** All containers in the order in which they start. */
export function allContainers(pod: PodObject): readonly RoledContainer[] {
  return [
    ...(pod.spec?.initContainers ?? []).map((spec): RoledContainer => ({ role: isSidecar(spec) ? "sidecar" : "init", spec })),
    ...(pod.spec?.containers ?? []).map((spec): RoledContainer => ({ role: "main", spec })),
    ...(pod.spec?.ephemeralContainers ?? []).map((spec): RoledContainer => ({ role: "ephemeral", spec })),
  ];
}

export function findContainer(pod: PodObject, name: string): RoledContainer | undefined {
  return allContainers(pod).find((container) => container.spec.name === name);
}

export function podUid(pod: PodObject): string {
  return pod.metadata.uid ?? "";
}

/** `name_namespace(uid)`: how messages name a pod. */
export function formatPod(pod: PodObject): string {
  return `${pod.metadata.name ?? ""}_${pod.metadata.namespace ?? ""}(${podUid(pod)})`;
}

export function podRestartPolicy(pod: PodObject): "Always" | "OnFailure" | "Never" {
  const policy = pod.spec?.restartPolicy;
  return policy === "OnFailure" || policy === "Never" ? policy : "Always";
}

/** Whether a container that ended with `exitCode` is to be started again. */
export function shouldRestart(pod: PodObject, container: RoledContainer, exitCode: number): boolean {
  if (container.role === "ephemeral") return false;
  if (container.role === "sidecar") return true;
  for (const rule of container.spec.restartPolicyRules ?? []) {
    const isListed = rule.exitCodes?.values?.includes(exitCode) ?? false;
    if (isListed === (rule.exitCodes?.operator === "In") && rule.action === "Restart") return true;
  }
  const policy = container.spec.restartPolicy ?? podRestartPolicy(pod);
  if (container.role === "init") return exitCode !== 0 && policy !== "Never";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** Tells a changed definition; only name and image can change while a container runs. FNV-1a in hex. */
export function containerHash(container: ContainerSpec): string {
  let hash = 0x811c9dc5;
  for (const char of `${container.name}\n${container.image ?? ""}`) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash.toString(16);
}

/** A duration in Go's form, as it stands in messages: `10s`, `1m20s`, `5m0s`, `1.5s`, `12ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${Number(((ms % 60_000) / 1000).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
