// Renders the table's fixed part and the difference between two rulesets as one nft transaction.
import { type BalancerChain, COLLECTIONS, type Collection, chainName, type Masquerade, type Ruleset } from "./ruleset.ts";

export interface TableOptions {
  /** Name of our table; nothing outside it is touched. */
  readonly table: string;
  /** Addresses of all pods: connections from elsewhere are masqueraded on their way to a cluster IP. */
  readonly clusterCidr: string;
}

/** Our bit in the conntrack mark: replace the source address. */
const MASQUERADE_BIT = "0x4000";

/** Elements a command may carry; longer ones make the kernel's message too large. */
const ELEMENTS_PER_COMMAND = 1000;

const TYPES: Record<Collection, string> = {
  endpoints: "map endpoints { type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; }",
  endpoint_ids: "map endpoint_ids { type ipv4_addr . inet_proto . inet_service . mark : mark; }",
  nodeport_endpoints: "map nodeport_endpoints { type inet_proto . inet_service . mark : ipv4_addr . inet_service; }",
  nodeport_endpoint_ids: "map nodeport_endpoint_ids { type inet_proto . inet_service . mark : mark; }",
  hairpin: "set hairpin { type ipv4_addr . ipv4_addr; }",
  hostports: "map hostports { type inet_proto . inet_service : ipv4_addr . inet_service; }",
  hostport_addresses: "map hostport_addresses { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }",
  services: "map services { type ipv4_addr . inet_proto . inet_service : verdict; }",
  nodeports: "map nodeports { type inet_proto . inet_service : verdict; }",
  refused: "map refused { type ipv4_addr . inet_proto . inet_service : verdict; }",
  refused_nodeports: "map refused_nodeports { type inet_proto . inet_service : verdict; }",
};

/** Makes the table anew, empty of services; whatever an earlier run left in it is gone in the same transaction. */
export function renderTable({ table, clusterCidr }: TableOptions): string {
  return `table ip ${table} {}
delete table ip ${table}
table ip ${table} {
  ${COLLECTIONS.map((name) => TYPES[name]).join("\n  ")}
  map affinity { type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark; flags dynamic,timeout; }
  map nodeport_affinity { type ipv4_addr . inet_proto . inet_service : mark; flags dynamic,timeout; }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmp type port-unreachable
  }
  chain dispatch {
    ip daddr . meta l4proto . th dport vmap @services
    dnat ip addr . port to ip daddr . meta l4proto . th dport map @hostport_addresses
    fib daddr type local ip daddr != 127.0.0.0/8 dnat ip addr . port to meta l4proto . th dport map @hostports
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @nodeports
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
    ct mark and ${MASQUERADE_BIT} == ${MASQUERADE_BIT} masquerade
    ct status dnat ip saddr . ip daddr @hairpin masquerade
    ip saddr ${clusterCidr} ip daddr != ${clusterCidr} fib daddr type != local masquerade
  }
  chain filter_forward {
    type filter hook forward priority filter - 10; policy accept;
    ct state new ip daddr . meta l4proto . th dport vmap @refused
  }
  chain filter_output {
    type filter hook output priority filter - 10; policy accept;
    ct state new ip daddr . meta l4proto . th dport vmap @refused
  }
  chain filter_input {
    type filter hook input priority filter - 10; policy accept;
    ct state new ip daddr . meta l4proto . th dport vmap @refused
    ct state new fib daddr type local meta l4proto . th dport vmap @refused_nodeports
  }
}
`;
}

/** The commands that turn `current` into `wanted`; "" when nothing differs. */
export function renderChange(options: TableOptions, current: Ruleset, wanted: Ruleset): string {
  const { table } = options;
  const removed: string[] = [];
  const added: string[] = [];
  for (const collection of COLLECTIONS) {
    const before = current.elements[collection];
    const after = wanted.elements[collection];
    const gone = [...before].filter(([key, value]) => after.get(key) !== value);
    const fresh = [...after].filter(([key, value]) => before.get(key) !== value);
    removed.push(
      ...commands(
        `delete element ip ${table} ${collection}`,
        gone.map(([key]) => key),
      ),
    );
    added.push(
      ...commands(
        `add element ip ${table} ${collection}`,
        fresh.map(([key, value]) => (value === "" ? key : `${key} : ${value}`)),
      ),
    );
  }
  const newChains = [...wanted.chains].filter(([name]) => !current.chains.has(name)).map(([, chain]) => renderChain(options, chain));
  const oldChains = [...current.chains.keys()].filter((name) => !wanted.chains.has(name)).map((name) => `delete chain ip ${table} ${name}`);
  // Verdict maps hold on to chains: chains come before the elements that name them and go after those are gone.
  const lines = [...newChains, ...removed, ...added, ...oldChains];
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function commands(command: string, elements: readonly string[]): string[] {
  const lines: string[] = [];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_COMMAND) {
    lines.push(`${command} { ${elements.slice(start, start + ELEMENTS_PER_COMMAND).join(", ")} }`);
  }
  return lines;
}

function renderChain({ table, clusterCidr }: TableOptions, chain: BalancerChain): string {
  const isNodePort = chain.scope === "np";
  const key = isNodePort ? "meta l4proto . th dport" : "ip daddr . meta l4proto . th dport";
  const prefix = isNodePort ? "nodeport_" : "";
  const dnat = `dnat ip addr . port to ${key} . meta mark map @${prefix}endpoints`;
  const pick = `meta mark set numgen random mod ${chain.count}`;
  const mark = `ct mark set ct mark or ${MASQUERADE_BIT}`;
  const masquerades: Record<Masquerade, string[]> = { offcluster: [`ip saddr != ${clusterCidr} ${mark}`], always: [mark], never: [] };
  const rules = masquerades[chain.masquerade];
  if (chain.affinitySeconds === 0) rules.push(pick, dnat);
  else {
    rules.push(
      `meta mark set ip saddr . ${key} map @${prefix}affinity`,
      dnat,
      pick,
      `meta mark set ${key} . meta mark map @${prefix}endpoint_ids`,
      `update @${prefix}affinity { ip saddr . ${key} timeout ${chain.affinitySeconds}s : meta mark }`,
      dnat,
    );
  }
  return `add chain ip ${table} ${chainName(chain)} { ${rules.join("; ")}; }`;
}
