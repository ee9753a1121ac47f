// The fixed part of the proxy's table: its sets and maps, the hooks, and what stands before and after the balancing chains.
import type { IpFamily } from "../ip-family.ts";
import { affinityType, type BalancerOptions, MASQUERADE_BIT } from "./balancer.ts";

export interface TableOptions extends BalancerOptions {
  /** Addresses of this node's pods: what goes to them comes back through this node without masquerading. */
  readonly localCidr: string;
  /** Networks whose addresses, as far as the node has them, node ports are open on; empty for all but loopback. */
  readonly nodePortNetworks: readonly string[];
}

/** Pods' links on the node, as the CNI plug-in `ptp` names them. A packet comes in by the link that leads to its sender, or not at all. */
const POD_LINKS = "veth*";

/** Sets and maps with the Services' elements, by their types with `addr` for the family's addresses. */
const TYPES = {
  endpoints: "map { type addr . inet_proto . inet_service . mark : addr . inet_service; }",
  endpoint_ids: "map { type addr . inet_proto . inet_service . mark : mark; }",
  nodeport_endpoints: "map { type inet_proto . inet_service . mark : addr . inet_service; }",
  nodeport_endpoint_ids: "map { type inet_proto . inet_service . mark : mark; }",
  hairpin: "set { type addr . addr; }",
  hostports: "map { type inet_proto . inet_service : addr . inet_service; }",
  hostport_addresses: "map { type addr . inet_proto . inet_service : addr . inet_service; }",
  restricted: "set { type addr . inet_proto . inet_service; }",
  sources: "set { type addr . inet_proto . inet_service . addr; flags interval; }",
  services: "map { type addr . inet_proto . inet_service : verdict; }",
  nodeports: "map { type inet_proto . inet_service : verdict; }",
  refused: "map { type addr . inet_proto . inet_service : verdict; }",
  refused_nodeports: "map { type inet_proto . inet_service : verdict; }",
} as const;

export type Collection = keyof typeof TYPES;

export const COLLECTIONS = Object.keys(TYPES) as readonly Collection[];

/** Makes the table anew, empty of Services; whatever an earlier run left in it is gone in the same transaction. */
export function renderTable(options: TableOptions): string {
  const { table, family, clusterCidr, localCidr } = options;
  const ip = family.table;
  const key = `${ip} daddr . meta l4proto . th dport`;
  const local = localAddresses(options);
  return `table ${ip} ${table} {}
delete table ${ip} ${table}
table ${ip} ${table} {
  ${COLLECTIONS.map((name) => declaration(name, family)).join("\n  ")}
  map affinity { type ${affinityType(family, "lb")} : mark; flags dynamic,timeout; }
  map nodeport_affinity { type ${affinityType(family, "np")} : mark; flags dynamic,timeout; }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with ${family.portUnreachable}
  }
  chain dispatch {
    ${key} vmap @services
    dnat ${ip} addr . port to ${key} map @hostport_addresses
    fib daddr type local ${ip} daddr != ${family.loopback} dnat ${ip} addr . port to meta l4proto . th dport map @hostports
    ${local} meta l4proto . th dport vmap @nodeports
  }
  chain pod_sources {
    type filter hook prerouting priority raw; policy accept;
    iifname "${POD_LINKS}" fib saddr . iif oif missing drop
  }
  chain restrict {
    ${key} @restricted ${key} . ${ip} saddr != @sources drop
  }
  chain restrict_prerouting {
    type filter hook prerouting priority dstnat - 11; policy accept;
    ct state new jump restrict
  }
  chain restrict_output {
    type filter hook output priority -111; policy accept;
    ct state new jump restrict
  }
  chain prerouting {
    type nat hook prerouting priority dstnat - 10; policy accept;
    jump dispatch
  }
  chain output {
    type nat hook output priority -110; policy accept;
    jump dispatch
  }
  chain postrouting {
    type nat hook postrouting priority srcnat - 10; policy accept;
    ct mark and ${MASQUERADE_BIT} == ${MASQUERADE_BIT} ${ip} daddr != ${localCidr} masquerade
    ct status dnat ${ip} saddr . ${ip} daddr @hairpin masquerade
    ${ip} saddr ${clusterCidr} ${ip} daddr != ${clusterCidr} fib daddr type != local masquerade
  }
  chain filter_forward {
    type filter hook forward priority filter - 10; policy accept;
    ct state new ${key} vmap @refused
  }
  chain filter_output {
    type filter hook output priority filter - 10; policy accept;
    ct state new ${key} vmap @refused
    ct state new ${local} meta l4proto . th dport vmap @refused_nodeports
  }
  chain filter_input {
    type filter hook input priority filter - 10; policy accept;
    ct state new ${key} vmap @refused
    ct state new ${local} meta l4proto . th dport vmap @refused_nodeports
  }
}
`;
}

function declaration(name: Collection, { addressType }: IpFamily): string {
  const [kind = "", ...rest] = TYPES[name].split(" ");
  return `${kind} ${name} ${rest.map((word) => (word === "addr" || word === "addr;" ? word.replace("addr", addressType) : word)).join(" ")}`;
}

/** Matches packets to an address of the node on which node ports are open. */
function localAddresses({ family, nodePortNetworks }: TableOptions): string {
  const chosen = nodePortNetworks.length === 0 ? `!= ${family.loopback}` : `{ ${nodePortNetworks.join(", ")} }`;
  return `fib daddr type local ${family.table} daddr ${chosen}`;
}
