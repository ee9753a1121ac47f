// Secrets that hold a service account's token: what they are to hold, and when they go. Pure.
import type { Secret, ServiceAccount } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export const TOKEN_TYPE = "kubernetes.io/service-account-token";
export const ACCOUNT_NAME = "kubernetes.io/service-account.name";
export const ACCOUNT_UID = "kubernetes.io/service-account.uid";

export type TokenSecret = DeepReadonly<Secret>;

export type TokenSecretPlan =
  | { readonly type: "none" }
  /** Its account is gone, or has become another. */
  | { readonly type: "delete" }
  /** The secret with all but the token; `needsToken` when that has to be made. */
  | { readonly type: "fill"; readonly secret: TokenSecret; readonly needsToken: boolean };

export function planTokenSecret(secret: TokenSecret, account: DeepReadonly<ServiceAccount> | undefined, caPem: string): TokenSecretPlan {
  const { annotations = {}, namespace = "", deletionTimestamp } = secret.metadata;
  if (deletionTimestamp !== undefined) return { type: "none" };
  const boundUid = annotations[ACCOUNT_UID];
  if (account === undefined || (boundUid !== undefined && boundUid !== account.metadata.uid)) return { type: "delete" };
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const wanted: Readonly<Record<string, string>> = { "ca.crt": base64(caPem), namespace: base64(namespace) };
  const needsToken = (secret.data?.["token"] ?? "") === "";
  const isRight = Object.entries(wanted).every(([name, value]) => secret.data?.[name] === value);
  if (isRight && !needsToken && boundUid !== undefined) return { type: "none" };
  const metadata = { ...secret.metadata, annotations: { ...annotations, [ACCOUNT_UID]: account.metadata.uid ?? "" } };
  return { type: "fill", secret: { ...secret, metadata, data: { ...secret.data, ...wanted } }, needsToken };
}
