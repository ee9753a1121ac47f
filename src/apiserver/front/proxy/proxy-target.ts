// What a proxy request means: whom its name names, what it asks there, and where its redirects lead. Pure functions.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { Pod, Service } from "../../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../../api/types/discovery/v1.ts";
import { badRequest, type DeepReadonly, statusError } from "../../../machinery/index.ts";
import type { RequestInfo } from "../request-info.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A proxied name: `[scheme:]name[:port]`. */
export interface ProxyName {
  readonly scheme: "http" | "https";
  readonly hasScheme: boolean;
  readonly name: string;
  /** A number or a name; "" when none is named. */
  readonly port: string;
}

/** Throws BadRequest; `kind` is that of what is proxied to, for the text. */
export function parseProxyName(text: string, kind: string): ProxyName {
  const parts = text.split(":");
  const [scheme, name, port] = parts.length === 3 ? parts : ["", parts[0], parts[1] ?? ""];
  const isValid = parts.length <= 3 && name !== undefined && name !== "" && (scheme === "" || scheme === "http" || scheme === "https");
  if (!isValid) throw badRequest(`invalid ${kind} request ${JSON.stringify(text)}`);
  return { scheme: scheme === "https" ? "https" : "http", hasScheme: scheme !== "", name, port: port ?? "" };
}

export interface ProxyPath {
  /** The path that the request has up to and with `/proxy`. */
  readonly prefix: string;
  /** What follows, as it was written; "" when not even a slash does. */
  readonly rest: string;
  /** With its question mark, or "". */
  readonly query: string;
}

/** Splits the request's URL behind its subresource. Throws BadRequest for steps to parent directories. */
export function proxyPath({ segments, subpath }: Pick<RequestInfo, "segments" | "subpath">, url: string): ProxyPath {
  if (subpath.some((segment) => segment === ".." || segment === ".")) throw badRequest("the path must not contain . or .. segments");
  const mark = url.indexOf("?");
  const raw = (mark < 0 ? url : url.slice(0, mark)).split("/");
  const own = 1 + segments.length - subpath.length;
  return {
    prefix: raw.slice(0, own).join("/"),
    rest: raw.length > own ? `/${raw.slice(own).join("/")}` : "",
    query: mark < 0 ? "" : url.slice(mark),
  };
}

/** As a URL has it. */
export function hostOf({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * A redirect or link of the target itself, so that it leads through the proxy again; others stay as they are. `hosts` are those
 * by which the target may call itself.
 */
export function rewrittenUrl(url: string, prefix: string, hosts: readonly string[]): string {
  const [, host, path = ""] = /^(?:(?:https?:)?\/\/([^/?#]*))?(\/.*)?$/is.exec(url) ?? [];
  const isOther = host !== undefined && !hosts.includes(host);
  if (isOther || path === "" || path === prefix || path.startsWith(`${prefix}/`)) return url;
  return `${prefix}${path}`;
}

/** Where a pod is reached on `port`: its first container's first port when none is named. */
export function podAddress(pod: DeepReadonly<Pod>, port: string): Address {
  const first = pod.spec?.containers.flatMap(({ ports = [] }) => ports)[0]?.containerPort ?? 80;
  return { host: proxyable(pod.status?.podIP ?? ""), port: port === "" ? first : portNumber(port) };
}

/** `host`, if it is an address that may be proxied to: not the machine's own, and none of a link. Throws BadRequest. */
export function proxyable(host: string): string {
  const range = isIP(host) === 0 ? "none" : ipaddr.process(host).range();
  const isRefused = ["none", "loopback", "linkLocal", "unspecified", "multicast", "broadcast"].includes(range);
  if (isRefused) throw badRequest("address not allowed");
  return host;
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw badRequest(`invalid port ${JSON.stringify(text)}`);
  return port;
}

/** The addresses behind a service's port (named or numbered); throws ServiceUnavailable when there are none. */
export function serviceAddresses(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  asked: string,
): readonly Address[] {
  const { name = "" } = service.metadata;
  const portName = servicePortName(service, asked);
  const addresses = slices.flatMap(({ endpoints = [], ports = [] }) => {
    const port = ports.find((candidate) => (candidate.name ?? "") === portName)?.port;
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
    return port === undefined ? [] : ready.flatMap((endpoint) => endpoint.addresses.map((host) => ({ host, port })));
  });
  if (addresses.length === 0) throw statusError("ServiceUnavailable", `no endpoints available for service ${JSON.stringify(name)}`);
  return addresses;
}

function servicePortName(service: DeepReadonly<Service>, asked: string): string {
  const { ports = [] } = service.spec ?? {};
  if (asked === "" && ports.length === 1) return ports[0]?.name ?? "";
  if (!/^\d+$/.test(asked)) return asked;
  const port = ports.find((candidate) => String(candidate.port) === asked);
  if (port === undefined) {
    const { name = "" } = service.metadata;
    throw statusError("ServiceUnavailable", `no service port ${asked} found for service ${JSON.stringify(name)}`);
  }
  return port.name ?? "";
}
