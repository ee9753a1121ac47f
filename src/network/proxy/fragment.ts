// The rules of one Service or host port as data: the elements it puts into maps and sets, and the chains these name.
import { mergeRanges, rangeOf, rangeText } from "../ranges.ts";
import { type BalancerChain, chainName, INSIDE_OFFSET, insideChain } from "./balancer.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import type { ProxyHostPort } from "./host-port.ts";
import type { ProxyServicePort } from "./service-port.ts";
import type { Collection } from "./table-script.ts";

/** `value` is "" in sets; the texts are nft's. */
export interface Element {
  readonly collection: Collection;
  readonly key: string;
  readonly value: string;
}

export interface Fragment {
  readonly elements: readonly Element[];
  readonly chains: readonly BalancerChain[];
}

/** The lasting number of an endpoint (`ip . port`), by which session affinity knows it. */
export type EndpointId = (target: string) => number;

export function serviceFragment(ports: readonly ProxyServicePort[], idOf: EndpointId): Fragment {
  const builder = new FragmentBuilder(idOf);
  for (const port of ports) builder.addPort(port);
  return builder;
}

/** Leads host ports to their pods; a pod that reaches itself that way is masqueraded. */
export function hostPortFragment(hostPorts: readonly ProxyHostPort[]): Fragment {
  const elements = hostPorts.flatMap(({ protocol, hostIp, hostPort, podIp, port }): Element[] => [
    hostIp === ""
      ? { collection: "hostports", key: `${protocol} . ${hostPort}`, value: `${podIp} . ${port}` }
      : { collection: "hostport_addresses", key: `${hostIp} . ${protocol} . ${hostPort}`, value: `${podIp} . ${port}` },
    { collection: "hairpin", key: `${podIp} . ${podIp}`, value: "" },
  ]);
  return { elements, chains: [] };
}

/** One way into a Service. */
interface Entrance {
  readonly scope: BalancerChain["scope"];
  readonly key: string;
  readonly port: ProxyServicePort;
}

class FragmentBuilder implements Fragment {
  readonly elements: Element[] = [];
  readonly chains: BalancerChain[] = [];
  readonly #idOf: EndpointId;

  constructor(idOf: EndpointId) {
    this.#idOf = idOf;
  }

  addPort(port: ProxyServicePort): void {
    for (const ip of port.clusterIps) this.#addInternal({ scope: "lb", key: `${ip} . ${port.protocol} . ${port.port}`, port });
    for (const ip of port.externalIps) this.#addExternal({ scope: "lb", key: `${ip} . ${port.protocol} . ${port.port}`, port });
    if (port.nodePort !== 0) this.#addExternal({ scope: "np", key: `${port.protocol} . ${port.nodePort}`, port });
    for (const { ip, isLocal } of [...port.clusterEndpoints, ...port.localEndpoints]) {
      if (isLocal) this.#add("hairpin", `${ip} . ${ip}`);
    }
    this.#restrict(port);
  }

  #addInternal(entrance: Entrance): void {
    const { clusterEndpoints, localEndpoints, isInternalLocal } = entrance.port;
    const endpoints = isInternalLocal ? localEndpoints : clusterEndpoints;
    if (endpoints.length === 0) {
      this.#refuse(entrance);
      return;
    }
    this.#lead(entrance, { route: "internal", count: endpoints.length, insideCount: 0 });
    this.#addEndpoints(entrance, endpoints, 0);
  }

  #addExternal(entrance: Entrance): void {
    const { clusterEndpoints, localEndpoints, isExternalLocal } = entrance.port;
    if ((isExternalLocal ? localEndpoints : clusterEndpoints).length === 0) this.#refuse(entrance);
    if (clusterEndpoints.length === 0) return;
    if (!isExternalLocal) {
      this.#lead(entrance, { route: "external", count: clusterEndpoints.length, insideCount: 0 });
      this.#addEndpoints(entrance, clusterEndpoints, 0);
      return;
    }
    this.#lead(entrance, { route: "local", count: localEndpoints.length, insideCount: clusterEndpoints.length });
    this.#addEndpoints(entrance, localEndpoints, 0);
    this.#addEndpoints(entrance, clusterEndpoints, INSIDE_OFFSET);
  }

  #lead({ scope, key, port }: Entrance, shape: Pick<BalancerChain, "route" | "count" | "insideCount">): void {
    const chain: BalancerChain = { scope, affinitySeconds: port.affinitySeconds, ...shape };
    if (chain.route === "local") this.chains.push(insideChain(chain));
    this.chains.push(chain);
    this.#add(scope === "np" ? "nodeports" : "services", key, `goto ${chainName(chain)}`);
  }

  /** Local-only traffic that another node could serve is dropped, so that a client's retry may go there. */
  #refuse({ scope, key, port }: Entrance): void {
    this.#add(scope === "np" ? "refused_nodeports" : "refused", key, port.hasAnyEndpoint ? "drop" : "goto refuse");
  }

  #addEndpoints({ scope, key, port }: Entrance, endpoints: readonly ProxyEndpoint[], offset: number): void {
    const [targets, ids] =
      scope === "np" ? (["nodeport_endpoints", "nodeport_endpoint_ids"] as const) : (["endpoints", "endpoint_ids"] as const);
    for (const [index, endpoint] of endpoints.entries()) {
      const target = `${endpoint.ip} . ${endpoint.port}`;
      const position = `${key} . ${offset + index}`;
      if (port.affinitySeconds === 0) {
        this.#add(targets, position, target);
      } else {
        const id = this.#idOf(target);
        this.#add(ids, position, `${id}`);
        this.#add(targets, `${key} . ${id}`, target);
      }
    }
  }

  /** Ranges must not overlap in a set. */
  #restrict({ restrictedIps, sourceRanges, protocol, port }: ProxyServicePort): void {
    for (const ip of restrictedIps) {
      const key = `${ip} . ${protocol} . ${port}`;
      this.#add("restricted", key);
      for (const range of mergeRanges(sourceRanges.map(rangeOf))) this.#add("sources", `${key} . ${rangeText(range)}`);
    }
  }

  #add(collection: Collection, key: string, value = ""): void {
    this.elements.push({ collection, key, value });
  }
}
