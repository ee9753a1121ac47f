// What a request's method and URL ask for: the verb and the resource, found by splitting the path.

import { isTrue } from "../../machinery/index.ts";

/** RequestInfo of apiserver: `isResource` is false for /healthz, discovery and everything else outside of resources. */
export interface RequestInfo {
  readonly method: string;
  readonly path: string;
  /** Decoded segments of the path. */
  readonly segments: readonly string[];
  /** undefined when the URL has no `?`. */
  readonly query: URLSearchParams | undefined;
  readonly isResource: boolean;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
  /** What follows the subresource: the path of proxies. */
  readonly subpath: readonly string[];
}

const namespaceSubresources = new Set(["status", "finalize"]);
const methodVerbs: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Understands `method` and `url` (path and query); undefined when the URL has a broken escape or begins with another server's name. */
export function parseRequest(method: string, url: string): RequestInfo | undefined {
  if (!url.startsWith("/")) return undefined;
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const segments = splitPath(path);
  if (segments === undefined) return undefined;
  const query = mark < 0 ? undefined : new URLSearchParams(url.slice(mark + 1));
  const isLegacyGroup = segments[0] === "api";
  const start = isLegacyGroup ? 2 : 3;
  if ((!isLegacyGroup && segments[0] !== "apis") || segments.length <= start) {
    return { ...noResource, method, path, segments, query, verb: method.toLowerCase() };
  }
  const group = isLegacyGroup ? "" : (segments[1] ?? "");
  const version = segments[start - 1] ?? "";
  return { ...resourcePart(method, segments, start, query), method, path, segments, query, group, version };
}

const noResource = {
  isResource: false,
  group: "",
  version: "",
  namespace: "",
  resource: "",
  name: "",
  subresource: "",
  subpath: [],
} as const;

function resourcePart(method: string, segments: readonly string[], start: number, query: URLSearchParams | undefined) {
  let at = start;
  let isWatch = false;
  if (segments[at] === "watch" && segments.length > at + 1) {
    isWatch = true;
    at++;
  }
  let namespace = "";
  if (segments[at] === "namespaces" && segments.length > at + 2 && !namespaceSubresources.has(segments[at + 2] ?? "")) {
    namespace = segments[at + 1] ?? "";
    at += 2;
  }
  const resource = segments[at] ?? "";
  const name = segments[at + 1] ?? "";
  const subresource = segments[at + 2] ?? "";
  const verb = isWatch ? "watch" : resourceVerb(method, name, query);
  return { isResource: true, verb, namespace, resource, name, subresource, subpath: segments.slice(at + 3) };
}

function resourceVerb(method: string, name: string, query: URLSearchParams | undefined): string {
  const verb = methodVerbs[method] ?? "";
  if (name !== "") return verb;
  if (verb === "get") return isTrue(query?.get("watch")) ? "watch" : "list";
  return verb === "delete" ? "deletecollection" : verb;
}

const longRunningSubresources = new Set(["exec", "attach", "portforward", "proxy", "log"]);

/** Whether a request is one whose answer may go on for long: it is not counted among those under way. */
export function isLongRunning({ verb, subresource }: Pick<RequestInfo, "verb" | "subresource">): boolean {
  return verb === "watch" || longRunningSubresources.has(subresource);
}

function splitPath(path: string): string[] | undefined {
  const segments = path.split("/");
  segments.shift();
  if (segments.at(-1) === "") segments.pop();
  if (!path.includes("%")) return segments;
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
