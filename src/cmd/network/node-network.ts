// The network that the nodes share on this machine. The host has a bridge whose address is the first node's and the API
// server's; every other node is a network namespace with one link to that bridge and a default route over it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BRIDGE, type ClusterSpec, dnsAddress, hostAddress, type NodeSpec } from "../config/cluster.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { runCommand } from "../system/command.ts";
import { mountsBelow } from "../system/mounts.ts";

const NETNS_DIRECTORY = "/run/netns";
const FORWARDING = "/proc/sys/net/ipv4/ip_forward";
/** Separate from the proxy's tables, which come and go with the agent. */
const NODES_TABLE = "k8ts_nodes";
/** All tables of the cluster, the proxy's too. */
const TABLE_PREFIX = "k8ts";
const PREFIX_LENGTH = 24;

/** A command that runs in the node's network namespace and keeps the host's mounts (`ip netns exec` would hide the cgroups). */
export function inNamespace(node: NodeSpec, command: readonly string[]): string[] {
  return node.networkNamespace === undefined
    ? [...command]
    : ["nsenter", `--net=${join(NETNS_DIRECTORY, node.networkNamespace)}`, "--", ...command];
}

export interface NodeNetworkOptions {
  readonly spec: ClusterSpec;
  readonly nodes: readonly NodeSpec[];
  readonly ledger: Ledger;
}

/** Makes what is missing of bridge, namespaces, links, routes and masquerading. */
export async function ensureNodeNetwork({ spec, nodes, ledger }: NodeNetworkOptions): Promise<void> {
  ledger.record({ type: "nftables", prefix: TABLE_PREFIX });
  enableForwarding(ledger);
  await ensureBridge(spec, ledger);
  // The first node's agent gives the host the address of the cluster's DNS.
  ledger.record({ type: "address", address: `${dnsAddress(spec)}/32`, link: "lo" });
  const others = nodes.filter((node) => node.networkNamespace !== undefined);
  for (const node of others) await ensureNamespace({ node, nodes, spec, ledger });
  for (const node of others) ledger.record({ type: "route", destination: node.podCidr });
  await ipBatch(others.map((node) => `route replace ${node.podCidr} via ${node.address} dev ${BRIDGE}`));
  const [first] = nodes;
  if (first !== undefined) {
    ledger.record({ type: "route", destination: deadEnd(first) });
    await ipBatch([`route replace ${deadEnd(first)}`]);
  }
  await ensureLoadBalancerPool(spec, ledger);
  await runCommand(["nft", "-f", "-"], { input: nodeRules(spec) });
}

/** Who sends to a pod that is gone is told so at once; pods that are there have routes of their own. */
function deadEnd(node: NodeSpec): string {
  return `unreachable ${node.podCidr}`;
}

/** The pool's addresses are the host's: it answers for them on its links, and what is no Service's is refused. */
async function ensureLoadBalancerPool({ loadBalancerPool }: ClusterSpec, ledger: Ledger): Promise<void> {
  const routes = loadBalancerPool.map((network) => `local ${network} dev lo`);
  for (const destination of routes) ledger.record({ type: "route", destination });
  await ipBatch(routes.map((route) => `route replace ${route}`));
}

function enableForwarding(ledger: Ledger): void {
  const previous = readFileSync(FORWARDING, "utf8").trim();
  if (previous === "1") return;
  ledger.record({ type: "sysctl", path: FORWARDING, previous });
  writeFileSync(FORWARDING, "1");
}

async function ensureBridge(spec: ClusterSpec, ledger: Ledger): Promise<void> {
  ledger.record({ type: "link", name: BRIDGE });
  if (!existsSync(`/sys/class/net/${BRIDGE}`)) await runCommand(["ip", "link", "add", BRIDGE, "type", "bridge"]);
  await ipBatch([`address replace ${hostAddress(spec.nodeNetwork, 1)}/${PREFIX_LENGTH} dev ${BRIDGE}`, `link set ${BRIDGE} up`]);
}

interface NamespaceOptions extends NodeNetworkOptions {
  readonly node: NodeSpec;
}

async function ensureNamespace({ node, nodes, spec, ledger }: NamespaceOptions): Promise<void> {
  const { networkNamespace, link } = node;
  if (networkNamespace === undefined || link === undefined) return;
  if (!mountsBelow(NETNS_DIRECTORY).includes(NETNS_DIRECTORY)) ledger.record({ type: "netnsDirectory", path: NETNS_DIRECTORY });
  ledger.record({ type: "netns", name: networkNamespace });
  ledger.record({ type: "link", name: link });
  if (!existsSync(join(NETNS_DIRECTORY, networkNamespace))) await runCommand(["ip", "netns", "add", networkNamespace]);
  if (!existsSync(`/sys/class/net/${link}`)) {
    await runCommand(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", networkNamespace]);
  }
  // With br_netfilter a packet that the proxy leads back to the node it came from is bridged, not routed: out of the port it came in by.
  await ipBatch([`link set ${link} master ${BRIDGE} up`, `link set ${link} type bridge_slave hairpin on`]);
  const peers = nodes.filter((peer) => peer.networkNamespace !== undefined && peer.index !== node.index);
  await ipBatch(
    [
      "link set lo up",
      `address replace ${node.address}/${PREFIX_LENGTH} dev eth0`,
      "link set eth0 up",
      `route replace default via ${hostAddress(spec.nodeNetwork, 1)} dev eth0`,
      `route replace ${deadEnd(node)}`,
      ...peers.map((peer) => `route replace ${peer.podCidr} via ${peer.address} dev eth0`),
    ],
    networkNamespace,
  );
  await runCommand(inNamespace(node, ["sh", "-c", `echo 1 > ${FORWARDING}`]));
}

/**
 * What nodes send beyond the machine leaves with the host's address. Load balancers' addresses are no way to the host's own
 * services: what comes to the host under one of them has not been led to an endpoint. Cluster DNS is for the cluster, not for the host's
 * neighbours.
 */
function nodeRules(spec: ClusterSpec): string {
  const inside = `{ ${spec.nodeNetwork}, ${spec.podNetwork}, ${spec.serviceNetwork} }`;
  const dns = `ip daddr ${dnsAddress(spec)} ip saddr != ${inside} fib saddr type != local drop`;
  const pool = spec.loadBalancerPool.map((network) => `${network.includes(":") ? "ip6" : "ip"} daddr ${network} ct state new reject`);
  return `table inet ${NODES_TABLE}
delete table inet ${NODES_TABLE}
table inet ${NODES_TABLE} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${spec.nodeNetwork} ip daddr != ${inside} masquerade
  }
  chain input {
    type filter hook input priority filter; policy accept;
    ${[dns, ...pool].join("\n    ")}
  }
}
`;
}

async function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
  if (lines.length === 0) return;
  const command = namespace === undefined ? ["ip", "-batch", "-"] : ["ip", "-netns", namespace, "-batch", "-"];
  await runCommand(command, { input: lines.map((line) => `${line}\n`).join("") });
}

/** The MTU of the link that leads out of this machine: what pods may send without fragments. */
export function outgoingMtu(): number {
  const line = readFileSync("/proc/net/route", "utf8")
    .split("\n")
    .map((route) => route.split("\t"))
    .find((route) => route[1] === "00000000" && route[7] === "00000000");
  const name = line?.[0];
  return name === undefined ? 1500 : Number(readFileSync(`/sys/class/net/${name}/mtu`, "utf8"));
}
