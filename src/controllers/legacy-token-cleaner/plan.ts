// What becomes of tokens that were once made for service accounts by themselves and that nobody uses. Pure.
import { podReferences } from "../../api/index.ts";
import type { Pod, Secret, ServiceAccount } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { ACCOUNT_NAME, ACCOUNT_UID } from "../serviceaccount-token/plan.ts";

/** How long a token may be unused before it is marked, and how long it is marked before it goes. */
export const UNUSED_MS = 365 * 86_400_000;
const DAY_MS = 86_400_000;

export const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";
const LAST_USED = "kubernetes.io/legacy-token-last-used";

type TokenSecret = DeepReadonly<Secret>;

export interface TokenUse {
  /** The accounts and pods of the secret's namespace. */
  readonly accounts: readonly DeepReadonly<ServiceAccount>[];
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly nowMs: number;
}

/** From when on it can be told that a token was not used; `since` is the day when servers began to note uses. */
export function cleansFromMs(since: string): number {
  return Date.parse(since) + DAY_MS + UNUSED_MS;
}

export function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** `mark` makes the token invalid, which can be taken back; `delete` can not. */
export function planToken(secret: TokenSecret, { accounts, pods, nowMs }: TokenUse): "keep" | "mark" | "delete" {
  const { name = "", labels = {}, annotations = {}, creationTimestamp = "", deletionTimestamp } = secret.metadata;
  const keepFrom = dateOf(nowMs - UNUSED_MS);
  if (deletionTimestamp !== undefined || !(Date.parse(creationTimestamp) < nowMs - UNUSED_MS)) return "keep";
  if ((labels[LAST_USED] ?? "") >= keepFrom) return "keep";
  const account = accounts.find(({ metadata }) => metadata.name === annotations[ACCOUNT_NAME] && metadata.uid === annotations[ACCOUNT_UID]);
  // Tokens that people made themselves are theirs to delete.
  if (account === undefined || !(account.secrets ?? []).some((reference) => reference.name === name)) return "keep";
  if (pods.some((pod) => podReferences(pod).secrets.includes(name))) return "keep";
  const invalidSince = labels[INVALID_SINCE] ?? "";
  if (Number.isNaN(Date.parse(invalidSince))) return "mark";
  return invalidSince >= keepFrom ? "keep" : "delete";
}
