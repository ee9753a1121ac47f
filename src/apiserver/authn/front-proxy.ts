// A proxy in front of the server that has authenticated the user: it shows a certificate of its own authority and names the
// user in headers. Without such a certificate the headers mean nothing.
import type { UserInfo } from "../../api/index.ts";
import { withAuthenticated } from "./authenticator.ts";

/** The request header options of upstream's server. */
export interface FrontProxyOptions {
  /** PEM of the authority of proxies' certificates; it must not be that of clients. */
  readonly ca: string | Buffer;
  /** Common names that may be proxies; all of the authority's when empty. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

/** Names of the headers as upstream's tools set them. */
export const defaultProxyHeaders = {
  usernameHeaders: ["X-Remote-User"],
  uidHeaders: ["X-Remote-Uid"],
  groupHeaders: ["X-Remote-Group"],
  extraHeaderPrefixes: ["X-Remote-Extra-"],
} as const;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The user that the proxy's headers name; undefined when they name none. */
export function proxiedUser(headers: Headers, options: Omit<FrontProxyOptions, "ca" | "allowedNames">): UserInfo | undefined {
  const [name] = valuesOf(headers, options.usernameHeaders);
  if (name === undefined) return undefined;
  const [uid] = valuesOf(headers, options.uidHeaders);
  const extra = extraOf(headers, options.extraHeaderPrefixes);
  return {
    name,
    groups: withAuthenticated(valuesOf(headers, options.groupHeaders)),
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function valuesOf(headers: Headers, names: readonly string[]): string[] {
  return names.flatMap((name) => listOf(headers[name.toLowerCase()]));
}

function extraOf(headers: Headers, prefixes: readonly string[]): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const prefix = prefixes.find((candidate) => name.startsWith(candidate.toLowerCase()));
    if (prefix !== undefined) extra[unescapedKey(name.slice(prefix.length))] = listOf(value);
  }
  return extra;
}

/** Keys have what no header name may have as escapes; what is no escape stays as it is. */
export function unescapedKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** node joins headers of the same name by `, `. */
function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return (typeof value === "string" ? value.split(", ") : value).filter((item) => item !== "");
}
