// Bootstrap tokens (`abcdef.0123456789abcdef`): which still hold, and the signatures by which joining nodes trust
// `cluster-info`. Pure.
import { createHmac } from "node:crypto";
import type { ConfigMap, Secret } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export const TOKEN_NAMESPACE = "kube-system";
export const TOKEN_TYPE = "bootstrap.kubernetes.io/token";
export const INFO_NAMESPACE = "kube-public";
export const INFO_NAME = "cluster-info";
const NAME_PREFIX = "bootstrap-token-";
const SIGNATURE_PREFIX = "jws-kubeconfig-";
const KUBECONFIG = "kubeconfig";
const ID = /^[a-z0-9]{6}$/;

export type TokenSecret = DeepReadonly<Secret>;

export interface SigningToken {
  readonly id: string;
  readonly secret: string;
}

function dataOf({ data }: TokenSecret, name: string): string {
  return Buffer.from(data?.[name] ?? "", "base64").toString("utf8");
}

export function isTokenSecret({ metadata, type }: TokenSecret): boolean {
  return type === TOKEN_TYPE && metadata.namespace === TOKEN_NAMESPACE;
}

/** When the token ends; undefined: never. What cannot be read has ended, lest a mistake makes a token last. */
export function expiresAtMs(secret: TokenSecret): number | undefined {
  const text = dataOf(secret, "expiration");
  if (text === "") return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? 0 : atMs;
}

/** The token, if it may sign and its secret is as it should be. */
export function signingToken(secret: TokenSecret, nowMs: number): SigningToken | undefined {
  const id = dataOf(secret, "token-id");
  const value = dataOf(secret, "token-secret");
  const isWhole = ID.test(id) && secret.metadata.name === `${NAME_PREFIX}${id}` && value !== "";
  const mayElse = dataOf(secret, "usage-bootstrap-signing") === "true" && (expiresAtMs(secret) ?? Number.POSITIVE_INFINITY) > nowMs;
  return isTokenSecret(secret) && isWhole && mayElse && secret.metadata.deletionTimestamp === undefined ? { id, secret: value } : undefined;
}

/** A JWS (HS256) of `content`, which itself is left out of it. */
export function detachedSignature(content: string, { id, secret }: SigningToken): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64url");
  const header = base64(JSON.stringify({ alg: "HS256", kid: id }));
  const signature = createHmac("sha256", `${id}.${secret}`)
    .update(`${header}.${base64(content)}`)
    .digest("base64url");
  return `${header}..${signature}`;
}

/** The config map's data with one signature for each token; undefined when it is so already. */
export function signedData({ data = {} }: DeepReadonly<ConfigMap>, tokens: readonly SigningToken[]): Record<string, string> | undefined {
  const content = data[KUBECONFIG];
  if (content === undefined) return undefined;
  const unsigned = Object.entries(data).filter(([name]) => !name.startsWith(SIGNATURE_PREFIX));
  const signatures = tokens.map((token) => [`${SIGNATURE_PREFIX}${token.id}`, detachedSignature(content, token)] as const);
  const wanted: Record<string, string> = Object.fromEntries([...unsigned, ...signatures]);
  const names = new Set([...Object.keys(data), ...Object.keys(wanted)]);
  return [...names].every((name) => data[name] === wanted[name]) ? undefined : wanted;
}
