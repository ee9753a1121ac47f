// exec, attach, port-forward, logs and proxying: finds the node or pod that is meant and passes the request on.
import type { ApiHandler, RequestScope, Resource, ResourceCatalog } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { badRequest, type DeepReadonly } from "../../machinery/index.ts";
import { type Authorizer, authorizationError } from "../authz/authorizer.ts";
import { loopbackUser } from "../authz/watched-collection.ts";
import { connectOptions } from "./connect-options.ts";
import type { Endpoint, Exchange } from "./exchange.ts";
import { type ForwardTarget, forward } from "./forward.ts";
import { kubeletAddress } from "./kubelet-address.ts";
import { resourceNotFound } from "./resource-endpoint.ts";
import { writeBody } from "./respond.ts";

export interface KubeletProxyOptions {
  readonly handler: ApiHandler;
  readonly catalog: ResourceCatalog;
  readonly authorizer: Authorizer;
  /** Asked before a connection is made; rejects to refuse it. Absent: all are admitted. */
  readonly admit?: (scope: RequestScope, options: Readonly<Record<string, unknown>>) => Promise<void>;
  /** The server's client certificate for kubelets, and the CA of theirs. */
  readonly kubeletTls: { readonly key: string | Buffer; readonly cert: string | Buffer; readonly ca: string | Buffer };
}

const tunnels: Readonly<Record<string, ReadonlySet<string>>> = {
  pods: new Set(["exec", "attach", "portforward", "log", "proxy"]),
  nodes: new Set(["proxy"]),
};
/** With a WebSocket these come as GET, and yet need the permission to create. */
const interactive = new Set(["exec", "attach", "portforward"]);
const streamParameters = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" } as const;
const logParameters = ["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes", "stream"];

export class KubeletProxy implements Endpoint {
  readonly #options: KubeletProxyOptions;

  constructor(options: KubeletProxyOptions) {
    this.#options = options;
  }

  /** Whether requests on this subresource are passed on to a node or pod. */
  static handles({ info }: Pick<Exchange, "info">): boolean {
    return info.group === "" && tunnels[info.resource]?.has(info.subresource) === true;
  }

  async serve(exchange: Exchange): Promise<void> {
    const { info } = exchange;
    this.#authorize(exchange, info.verb);
    if (interactive.has(info.subresource) && info.verb !== "create") this.#authorize(exchange, "create");
    await this.#admit(exchange);
    if (info.resource === "nodes") return this.#proxyToNode(exchange);
    if (info.subresource === "proxy") return this.#proxyToPod(exchange);
    const pod = await this.#get<Pod>("pods", info.namespace, info.name);
    const { nodeName = "" } = pod.spec ?? {};
    const path = kubeletPath(exchange, pod);
    if (nodeName === "") {
      if (info.subresource !== "log") throw badRequest(`pod ${info.name} does not have a host assigned`);
      writeBody(exchange, 200, Buffer.alloc(0), "text/plain");
      return;
    }
    await forward(exchange, await this.#kubelet(nodeName, path));
  }

  #authorize({ user, info }: Exchange, verb: string): void {
    const { group, version, resource, subresource, namespace, name } = info;
    const attributes = { user, verb, group, version, resource, subresource, namespace, name };
    const decision = this.#options.authorizer.authorize(attributes);
    if (!decision.allowed) throw authorizationError(attributes, decision.reason);
  }

  async #admit({ user, info }: Exchange): Promise<void> {
    const { group, version, resource: plural, namespace, name, subresource } = info;
    const resource = this.#options.catalog.find(group, version, plural);
    if (resource === undefined || subresource === "log") return;
    const kind = resource.subresources[subresource]?.kind ?? "";
    const scope = { user, resource, namespace, name, subresource };
    await this.#options.admit?.(scope, connectOptions(kind, info));
  }

  async #proxyToNode(exchange: Exchange): Promise<void> {
    const [name = ""] = exchange.info.name.split(":");
    await forward(exchange, await this.#kubelet(name, proxiedPath(exchange)));
  }

  /** The name is `[scheme:]pod[:port]`. */
  async #proxyToPod(exchange: Exchange): Promise<void> {
    const parts = exchange.info.name.split(":");
    const [scheme, name, port] = parts.length === 3 ? parts : ["", parts[0], parts[1]];
    const pod = await this.#get<Pod>("pods", exchange.info.namespace, name ?? "");
    const host = pod.status?.podIP ?? "";
    if (host === "") throw badRequest("address not allowed");
    const first = pod.spec?.containers[0]?.ports?.[0]?.containerPort ?? 80;
    const number = port === undefined || port === "" ? first : Number(port);
    const protocol = scheme === "https" ? "https" : "http";
    const tls = protocol === "https" ? { tls: { rejectUnauthorized: false } } : {};
    await forward(exchange, { protocol, host, port: number, path: proxiedPath(exchange), ...tls });
  }

  async #kubelet(nodeName: string, path: string): Promise<ForwardTarget> {
    const { host, port } = kubeletAddress(await this.#get<Node>("nodes", "", nodeName));
    return { protocol: "https", host, port, path, tls: this.#options.kubeletTls };
  }

  async #get<T>(plural: string, namespace: string, name: string): Promise<DeepReadonly<T>> {
    const resource: Resource | undefined = this.#options.catalog.find("", "v1", plural);
    if (resource === undefined) throw resourceNotFound();
    const scope: RequestScope = { user: loopbackUser, resource, namespace, name, subresource: "" };
    return (await this.#options.handler.get(scope, {})).object as DeepReadonly<T>;
  }
}

function proxiedPath({ info, request }: Exchange): string {
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  return `/${info.subpath.map(encodeURIComponent).join("/")}${mark < 0 ? "" : url.slice(mark)}`;
}

/** The kubelet's path for the subresource, its parameters renamed. */
function kubeletPath({ info }: Exchange, pod: DeepReadonly<Pod>): string {
  const { namespace, name, subresource } = info;
  const asked = info.query ?? new URLSearchParams();
  const query = new URLSearchParams();
  const at = `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  if (subresource === "portforward") {
    for (const ports of asked.getAll("ports")) for (const port of ports.split(",")) query.append("port", port);
    return `/portForward/${at}?${query}`;
  }
  const container = encodeURIComponent(containerOf(pod, asked.get("container") ?? ""));
  if (subresource === "log") {
    for (const key of logParameters) for (const value of asked.getAll(key)) query.append(key, value);
    return `/containerLogs/${at}/${container}?${query}`;
  }
  for (const [from, to] of Object.entries(streamParameters)) {
    const value = asked.get(from) ?? (from === "stdout" || from === "stderr" ? "true" : "false");
    if (value === "true" || value === "1") query.append(to, "1");
  }
  for (const command of asked.getAll("command")) query.append("command", command);
  return `/${subresource}/${at}/${container}?${query}`;
}

/** The container asked for, or the only one. */
function containerOf(pod: DeepReadonly<Pod>, asked: string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const name = pod.metadata.name ?? "";
  if (asked !== "") {
    const isKnown = [...containers, ...initContainers, ...ephemeralContainers].some((container) => container.name === asked);
    if (!isKnown) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const [only] = containers;
  if (only !== undefined && containers.length === 1) return only.name;
  const names = (list: readonly { readonly name: string }[]) => `[${list.map((container) => container.name).join(" ")}]`;
  const inits = initContainers.length === 0 ? "" : ` or one of the init containers: ${names(initContainers)}`;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: ${names(containers)}${inits}`);
}
