// The strategic merge patch from a pod's status as the API has it to the status that the node computed.
import { isDeepStrictEqual } from "node:util";
import type { PodStatus } from "../../api/types/core/v1.ts";
import { type PodObject, podUid } from "../pod/pod-object.ts";
import { isOwnCondition, OWN_CONDITIONS } from "./conditions.ts";

/** Lists that the server would merge by key, where the node means the whole list. */
const REPLACED_LISTS = new Set<string>(["podIPs", "hostIPs"]);
/** Fields that come with the sandbox. */
const SANDBOX_FIELDS: ReadonlySet<string> = new Set(["conditions", "podIP", "podIPs"]);
/** Fields that others write. */
const FOREIGN: ReadonlySet<string> = new Set(["nominatedNodeName", "resourceClaimStatuses", "resize"]);

export interface StatusPatch {
  readonly metadata: { readonly uid: string };
  readonly status: Readonly<Record<string, unknown>>;
}

/** Whether all that a patch tells is that the pod's sandbox is there: its containers are what people wait for. */
export function isMinor(status: StatusPatch["status"]): boolean {
  const conditions = (status["conditions"] ?? []) as readonly { readonly type: string }[];
  return (
    conditions.every(({ type }) => type === "PodReadyToStartContainers") && Object.keys(status).every((name) => SANDBOX_FIELDS.has(name))
  );
}

/** The patch body, or undefined when there is nothing to change. */
export function statusPatch(pod: PodObject, desired: PodStatus): StatusPatch | undefined {
  const current: Record<string, unknown> = { ...(pod.status ?? {}) };
  const wanted: Record<string, unknown> = { ...desired };
  const status: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(current), ...Object.keys(wanted)])) {
    const value = wanted[name];
    if (FOREIGN.has(name) || isSame(current[name], value)) continue;
    if (name === "conditions") status[name] = changedConditions(pod, desired);
    else if (REPLACED_LISTS.has(name)) status[name] = [...((value as unknown[] | undefined) ?? []), { $patch: "replace" }];
    else status[name] = value ?? null;
  }
  if (Array.isArray(status["conditions"]) && status["conditions"].length === 0) delete status["conditions"];
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid: podUid(pod) }, status };
}

function changedConditions(pod: PodObject, desired: PodStatus) {
  const known = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  const wanted = new Set((desired.conditions ?? []).map(({ type }) => type));
  const over = [...known.keys()].filter((type) => OWN_CONDITIONS.has(type) && !wanted.has(type));
  const changed = (desired.conditions ?? [])
    .filter((condition) => isOwnCondition(condition) && !isSame(known.get(condition.type), condition))
    .map((condition) => {
      const before = known.get(condition.type);
      const gone = Object.keys(before ?? {}).filter((name) => !(name in condition));
      return { ...condition, ...Object.fromEntries(gone.map((name) => [name, null])) };
    });
  return [...changed, ...over.map((type) => ({ type, $patch: "delete" }))];
}

/** Whether two values serialize alike: absent, null, undefined and an empty list are the same. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(normal(a), normal(b));
}

function normal(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value ?? undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(normal);
  const entries = Object.entries(value).map(([key, child]) => [key, normal(child)] as const);
  return Object.fromEntries(entries.filter(([, child]) => child !== undefined));
}
