// Balancing chains: each draws one of a number of endpoints for the address and port of the packet. They name no Service;
// all Services of the same shape share them.
import type { IpFamily } from "../ip-family.ts";

/** How traffic comes in and which list of endpoints it may use. */
export type Route =
  /** To a cluster IP: senders outside the cluster are masqueraded. */
  | "internal"
  /** To an address or port for the outside: all senders are masqueraded. */
  | "external"
  /** The same with traffic policy Local: senders are kept, endpoints are the node's own; senders inside go by `inside`. */
  | "local"
  /** The second list of endpoints of the same address: those of the whole cluster. */
  | "inside";

export interface BalancerChain {
  readonly scope: "lb" | "np";
  readonly route: Route;
  /** How many endpoints it draws from. */
  readonly count: number;
  /** For `local`: how many endpoints the `inside` list has; 0 otherwise. */
  readonly insideCount: number;
  /** 0 for no affinity. */
  readonly affinitySeconds: number;
}

/** Positions of the `inside` list start here, those of the other at 0. */
export const INSIDE_OFFSET = 0x8000;

/** Marks below this number are positions, those from it on are identities of endpoints. */
export const FIRST_ENDPOINT_ID = 0x10000;

/** Our bit in the conntrack mark: replace the source address. */
export const MASQUERADE_BIT = "0x4000";

const HASH_SEED = "0x6b387473";

export interface BalancerOptions {
  readonly family: IpFamily;
  /** Name of our table. */
  readonly table: string;
  /** Addresses of all pods. */
  readonly clusterCidr: string;
}

export function chainName({ scope, route, count, insideCount, affinitySeconds }: BalancerChain): string {
  const inside = route === "local" ? `_of_${insideCount}` : "";
  return `${scope}_${route}_${count}${inside}${affinitySeconds === 0 ? "" : `_for_${affinitySeconds}`}`;
}

/** The chain that a `local` one hands senders of the cluster to. */
export function insideChain({ insideCount, ...chain }: BalancerChain): BalancerChain {
  return { ...chain, route: "inside", count: insideCount, insideCount: 0 };
}

export function renderChain(options: BalancerOptions, chain: BalancerChain): string {
  const { family, table, clusterCidr } = options;
  const mark = `ct mark set ct mark or ${MASQUERADE_BIT}`;
  const rules: string[] = [];
  if (chain.route === "internal") rules.push(`${family.table} saddr != ${clusterCidr} ${mark}`);
  if (chain.route === "external") rules.push(mark);
  if (chain.route === "local") {
    const inside = chainName(insideChain(chain));
    rules.push(`${family.table} saddr ${clusterCidr} goto ${inside}`, `fib saddr type local ${mark} goto ${inside}`);
  }
  if (chain.count > 0) rules.push(...(chain.affinitySeconds === 0 ? draw(family, chain) : drawOrRemember(family, chain)));
  return `add chain ${family.table} ${table} ${chainName(chain)} { ${rules.join("; ")}; }`;
}

function draw(family: IpFamily, chain: BalancerChain): string[] {
  return [position(chain), translation(family, chain)];
}

/** What is remembered is an endpoint's identity: one that has left the Service is forgotten and another drawn. */
function drawOrRemember(family: IpFamily, chain: BalancerChain): string[] {
  const affinity = chain.scope === "np" ? "nodeport_affinity" : "affinity";
  const client = affinityKey(family, chain.scope);
  const remember = `update @${affinity} { ${client} timeout ${chain.affinitySeconds}s : meta mark }`;
  const ids = chain.scope === "np" ? "nodeport_endpoint_ids" : "endpoint_ids";
  const hash = `meta priority set jhash ${longAffinityKey(family, chain.scope)} mod 4294967295 seed ${HASH_SEED}`;
  return [
    ...(family.table === "ip" ? [] : [hash]),
    `meta mark set ${client} map @${affinity}`,
    `meta mark >= ${FIRST_ENDPOINT_ID} ${remember}`,
    translation(family, chain),
    `delete @${affinity} { ${client} : meta mark }`,
    position(chain),
    `meta mark set ${serviceKey(family, chain.scope)} . meta mark map @${ids}`,
    remember,
    translation(family, chain),
  ];
}

function position({ route, count }: BalancerChain): string {
  return `meta mark set numgen random mod ${count}${route === "inside" ? ` offset ${INSIDE_OFFSET}` : ""}`;
}

function translation(family: IpFamily, { scope }: BalancerChain): string {
  const endpoints = scope === "np" ? "nodeport_endpoints" : "endpoints";
  return `dnat ${family.table} addr . port to ${serviceKey(family, scope)} . meta mark map @${endpoints}`;
}

/** The packet's Service: its address, protocol and port, or only the latter for a node port. */
function serviceKey(family: IpFamily, scope: BalancerChain["scope"]): string {
  return scope === "np" ? "meta l4proto . th dport" : `${family.table} daddr . meta l4proto . th dport`;
}

/** The client and the Service. nft cannot update a map under so long a key as IPv6 needs: there a hash stands for it. */
function affinityKey(family: IpFamily, scope: BalancerChain["scope"]): string {
  return family.table === "ip" ? longAffinityKey(family, scope) : "meta priority";
}

function longAffinityKey(family: IpFamily, scope: BalancerChain["scope"]): string {
  return `${family.table} saddr . ${serviceKey(family, scope)}`;
}

/** nft's type of `affinityKey`. */
export function affinityType({ table, addressType }: IpFamily, scope: BalancerChain["scope"]): string {
  if (table === "ip6") return "classid";
  return scope === "np" ? `${addressType} . inet_proto . inet_service` : `${addressType} . ${addressType} . inet_proto . inet_service`;
}
