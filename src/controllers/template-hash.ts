// The hash that tells the ReplicaSets of a Deployment, and the revisions of a DaemonSet or StatefulSet, apart.
import type { PodTemplateSpec } from "../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual } from "../machinery/index.ts";

export const HASH_LABEL = "pod-template-hash";

/** No vowels and no look-alikes; see the suffixes of generated names. */
const SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** The same for equal templates, whatever the order of their keys; `collisionCount` gives another one after a collision. */
export function templateHash(template: DeepReadonly<PodTemplateSpec>, collisionCount: number): string {
  const text = `${canonical(template)}#${collisionCount}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return [...`${hash}`].map((digit) => SAFE_ALPHABET[digit.charCodeAt(0) % SAFE_ALPHABET.length]).join("");
}

/** Whether both make the same pods: the hash label, which sets add, does not count. */
export function isSameTemplate(a: DeepReadonly<PodTemplateSpec>, b: DeepReadonly<PodTemplateSpec>): boolean {
  return deepEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: DeepReadonly<PodTemplateSpec>): unknown {
  const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => `${key}:${canonical(child)}`)
    .join(",")}}`;
}
