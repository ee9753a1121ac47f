// The proxy subresources of pods, services and nodes: passes requests of every method on to what they name.
import type { ApiHandler, RequestScope } from "../../../api/index.ts";
import type { Node, Pod, Service } from "../../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../../api/types/discovery/v1.ts";
import type { Random } from "../../../base/index.ts";
import { type DeepReadonly, statusError } from "../../../machinery/index.ts";
import { loopbackUser } from "../../authz/watched-collection.ts";
import { connectionProblem } from "../../webhooks/webhook-error.ts";
import { admitConnection, authorizeRequest, type ConnectionGuards } from "../admit-connection.ts";
import { type Endpoint, type Exchange, header } from "../exchange.ts";
import { type ForwardTarget, forward } from "../forward.ts";
import { kubeletAddress } from "../kubelet-address.ts";
import { resourceNotFound } from "../resource-endpoint.ts";
import {
  type Address,
  hostOf,
  type ProxyPath,
  parseProxyName,
  podAddress,
  portNumber,
  proxyable,
  proxyPath,
  rewrittenUrl,
  serviceAddresses,
} from "./proxy-target.ts";

export interface ProxyEndpointOptions extends ConnectionGuards {
  readonly handler: Pick<ApiHandler, "get" | "list">;
  readonly random: Random;
  /** The server's client certificate for kubelets, and the CA of theirs. */
  readonly kubeletTls: { readonly key: string | Buffer; readonly cert: string | Buffer; readonly ca: string | Buffer };
}

/** Who is asked, and how. */
interface Target extends Address {
  readonly scheme: "http" | "https";
  readonly tls?: ForwardTarget["tls"];
}

const proxied = new Set(["pods", "services", "nodes"]);
/** Whoever answers behind `https:` is not known to us: upstream does not check either. */
const unchecked = { rejectUnauthorized: false } as const;

export class ProxyEndpoint implements Endpoint {
  readonly #options: ProxyEndpointOptions;

  constructor(options: ProxyEndpointOptions) {
    this.#options = options;
  }

  static handles({ info }: Pick<Exchange, "info">): boolean {
    return info.group === "" && info.subresource === "proxy" && proxied.has(info.resource);
  }

  async serve(exchange: Exchange): Promise<void> {
    const { info, request, response } = exchange;
    await authorizeRequest(exchange, this.#options.authorizer);
    const path = proxyPath(info, request.url ?? "");
    if (path.rest === "" && (info.method === "GET" || info.method === "HEAD") && !("upgrade" in exchange)) {
      response.writeHead(301, { Location: `${path.prefix}/${path.query}` });
      response.end();
      return;
    }
    await admitConnection(exchange, this.#options);
    await forward(exchange, forwardTarget(exchange, path, await this.#targetOf(exchange)));
  }

  #targetOf({ info }: Exchange): Promise<Target> {
    if (info.resource === "nodes") return this.#node(info.name);
    return info.resource === "pods" ? this.#pod(info) : this.#service(info);
  }

  async #pod({ namespace, name: text }: Exchange["info"]): Promise<Target> {
    const { scheme, name, port } = parseProxyName(text, "pod");
    const pod = await this.#get<Pod>("pods", namespace, name);
    return { scheme, ...podAddress(pod, port), ...(scheme === "https" ? { tls: unchecked } : {}) };
  }

  async #service({ namespace, name: text }: Exchange["info"]): Promise<Target> {
    const { scheme, name, port } = parseProxyName(text, "service");
    const service = await this.#get<Service>("services", namespace, name);
    const addresses = serviceAddresses(service, await this.#slicesOf(namespace, name), port);
    const address = addresses[Math.floor(this.#options.random.next() * addresses.length)] as Address;
    return { scheme, host: proxyable(address.host), port: address.port, ...(scheme === "https" ? { tls: unchecked } : {}) };
  }

  /** The kubelet, unless another port is named. */
  async #node(text: string): Promise<Target> {
    const { scheme, hasScheme, name, port } = parseProxyName(text, "node");
    const kubelet = kubeletAddress(await this.#get<Node>("nodes", "", name));
    if (port === "" || port === String(kubelet.port)) return { scheme: "https", ...kubelet, tls: this.#options.kubeletTls };
    const other = { scheme, host: proxyable(kubelet.host), port: portNumber(port) };
    return hasScheme && scheme === "https" ? { ...other, tls: unchecked } : other;
  }

  async #slicesOf(namespace: string, name: string): Promise<readonly DeepReadonly<EndpointSlice>[]> {
    const { handler } = this.#options;
    const scope = this.#scope(["discovery.k8s.io", "endpointslices"], namespace, "");
    const { items } = await handler.list(scope, { labelSelector: `kubernetes.io/service-name=${name}` });
    return items.map(({ object }) => object as DeepReadonly<EndpointSlice>);
  }

  async #get<T>(plural: string, namespace: string, name: string): Promise<DeepReadonly<T>> {
    return (await this.#options.handler.get(this.#scope(["", plural], namespace, name), {})).object as DeepReadonly<T>;
  }

  #scope([group, plural]: readonly [string, string], namespace: string, name: string): RequestScope {
    const resource = this.#options.catalog.find(group, "v1", plural);
    if (resource === undefined) throw resourceNotFound();
    return { user: loopbackUser, resource, namespace, name, subresource: "" };
  }
}

function forwardTarget({ request }: Exchange, { prefix, rest, query }: ProxyPath, target: Target): ForwardTarget {
  const { scheme, host, port, tls } = target;
  const via = header(request, "host") ?? header(request, ":authority");
  return {
    protocol: scheme,
    host,
    port,
    path: `${rest === "" ? "/" : rest}${query}`,
    ...(tls === undefined ? {} : { tls }),
    headers: {
      "x-forwarded-uri": `${prefix}${rest}`,
      "x-forwarded-proto": "https",
      ...(via === undefined ? {} : { "x-forwarded-host": via }),
    },
    rewriteUrl: (url) => rewrittenUrl(url, prefix, [hostOf(target), ...(via === undefined ? [] : [via])]),
    unreachable: (error) => statusError("ServiceUnavailable", `error trying to reach service: ${connectionProblem(error, target, host)}`),
  };
}
