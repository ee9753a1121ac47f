// The proxy's nftables rules as data: which elements stand in which map or set, and which load-balancing chains exist.
import type { ProxyHostPort } from "./host-port.ts";
import type { ProxyEndpoint, ProxyServicePort } from "./service-port.ts";

/** Maps and sets of the table; the order is the order of writing. */
export const COLLECTIONS = [
  "endpoints",
  "endpoint_ids",
  "nodeport_endpoints",
  "nodeport_endpoint_ids",
  "hairpin",
  "hostports",
  "hostport_addresses",
  "services",
  "nodeports",
  "refused",
  "refused_nodeports",
] as const;

export type Collection = (typeof COLLECTIONS)[number];

/** When a connection's source address is replaced by the node's, so that answers come back through this node. */
export type Masquerade = "offcluster" | "always" | "never";

/** A chain that picks one of `count` endpoints; services of the same shape share it. */
export interface BalancerChain {
  readonly scope: "lb" | "np";
  readonly masquerade: Masquerade;
  readonly count: number;
  /** 0 for no affinity. */
  readonly affinitySeconds: number;
}

/** Element → value ("" in sets); the texts are nft's. */
export interface Ruleset {
  readonly elements: Readonly<Record<Collection, ReadonlyMap<string, string>>>;
  readonly chains: ReadonlyMap<string, BalancerChain>;
}

export function chainName({ scope, masquerade, count, affinitySeconds }: BalancerChain): string {
  return `${scope}_${masquerade}_${count}${affinitySeconds === 0 ? "" : `_for_${affinitySeconds}`}`;
}

/** Marks below this number are positions, those from it on are identities of endpoints. */
const FIRST_ENDPOINT_ID = 0x10000;

/** Numbers endpoints, so that affinity survives when others come and go. */
export class EndpointIds {
  readonly #ids = new Map<string, number>();

  idOf(endpoint: ProxyEndpoint): number {
    const key = `${endpoint.ip}:${endpoint.port}`;
    const id = this.#ids.get(key) ?? FIRST_ENDPOINT_ID + this.#ids.size;
    this.#ids.set(key, id);
    return id;
  }
}

export function emptyRuleset(): Ruleset {
  return {
    elements: Object.fromEntries(COLLECTIONS.map((name) => [name, new Map()])) as Record<Collection, Map<string, string>>,
    chains: new Map(),
  };
}

export interface RulesetInput {
  readonly services: Iterable<ProxyServicePort>;
  readonly hostPorts: Iterable<ProxyHostPort>;
}

/** Computes all elements; of two that claim the same address and port the first wins. */
export function buildRuleset({ services, hostPorts }: RulesetInput, ids: EndpointIds): Ruleset {
  const builder = new RulesetBuilder(ids);
  for (const hostPort of hostPorts) builder.addHostPort(hostPort);
  for (const port of services) builder.addPort(port);
  return builder.ruleset;
}

class RulesetBuilder {
  readonly #elements = emptyRuleset().elements as Record<Collection, Map<string, string>>;
  readonly #chains = new Map<string, BalancerChain>();
  readonly #ids: EndpointIds;

  constructor(ids: EndpointIds) {
    this.#ids = ids;
  }

  get ruleset(): Ruleset {
    return { elements: this.#elements, chains: this.#chains };
  }

  addPort(port: ProxyServicePort): void {
    const external: Masquerade = port.isExternalLocal ? "never" : "always";
    for (const ip of port.clusterIps) this.#addAddress(port, ip, port.internalEndpoints, "offcluster");
    for (const ip of port.externalIps) this.#addAddress(port, ip, port.externalEndpoints, external);
    if (port.nodePort !== 0) this.#addNodePort(port, external);
    for (const endpoint of port.internalEndpoints) if (endpoint.isLocal) this.#elements.hairpin.set(`${endpoint.ip} . ${endpoint.ip}`, "");
  }

  addHostPort({ protocol, hostIp, hostPort, podIp, port }: ProxyHostPort): void {
    const target = `${podIp} . ${port}`;
    const { hostports, hostport_addresses, hairpin } = this.#elements;
    const [collection, key] =
      hostIp === "" ? [hostports, `${protocol} . ${hostPort}`] : [hostport_addresses, `${hostIp} . ${protocol} . ${hostPort}`];
    if (collection.has(key)) return;
    collection.set(key, target);
    hairpin.set(`${podIp} . ${podIp}`, "");
  }

  #addAddress(port: ProxyServicePort, ip: string, endpoints: readonly ProxyEndpoint[], masquerade: Masquerade): void {
    const key = `${ip} . ${port.protocol} . ${port.port}`;
    if (this.#elements.services.has(key) || this.#elements.refused.has(key)) return;
    if (endpoints.length === 0) {
      this.#elements.refused.set(key, refusal(port));
      return;
    }
    const chain = this.#chain({ scope: "lb", masquerade, count: endpoints.length, affinitySeconds: port.affinitySeconds });
    this.#elements.services.set(key, `goto ${chain}`);
    this.#addEndpoints(key, port, endpoints, { targets: this.#elements.endpoints, ids: this.#elements.endpoint_ids });
  }

  #addNodePort(port: ProxyServicePort, masquerade: Masquerade): void {
    const key = `${port.protocol} . ${port.nodePort}`;
    if (this.#elements.nodeports.has(key) || this.#elements.refused_nodeports.has(key)) return;
    const endpoints = port.externalEndpoints;
    if (endpoints.length === 0) {
      this.#elements.refused_nodeports.set(key, refusal(port));
      return;
    }
    const chain = this.#chain({ scope: "np", masquerade, count: endpoints.length, affinitySeconds: port.affinitySeconds });
    this.#elements.nodeports.set(key, `goto ${chain}`);
    this.#addEndpoints(key, port, endpoints, { targets: this.#elements.nodeport_endpoints, ids: this.#elements.nodeport_endpoint_ids });
  }

  #addEndpoints(
    key: string,
    port: ProxyServicePort,
    endpoints: readonly ProxyEndpoint[],
    { targets, ids }: { readonly targets: Map<string, string>; readonly ids: Map<string, string> },
  ): void {
    endpoints.forEach((endpoint, position) => {
      const target = `${endpoint.ip} . ${endpoint.port}`;
      if (port.affinitySeconds === 0) {
        targets.set(`${key} . ${position}`, target);
        return;
      }
      const id = this.#ids.idOf(endpoint);
      ids.set(`${key} . ${position}`, `${id}`);
      targets.set(`${key} . ${id}`, target);
    });
  }

  #chain(chain: BalancerChain): string {
    const name = chainName(chain);
    this.#chains.set(name, chain);
    return name;
  }
}

/** Local-only traffic that another node could serve is dropped, so that a client's retry may go there. */
function refusal(port: ProxyServicePort): string {
  return port.hasAnyEndpoint ? "drop" : "goto refuse";
}
