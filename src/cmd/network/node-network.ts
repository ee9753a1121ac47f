// The network that the nodes share on this machine. The host has a bridge whose address is the first node's and the API
// server's; every other node is a network namespace with one link to that bridge and a default route over it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { IPV4, IPV6, tunnelDevice } from "../../network/index.ts";
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
const IPV6_PREFIX_LENGTH = 64;
const IPV6_LINKS = "/proc/sys/net/ipv6/conf";

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
  setSysctl(FORWARDING, "1", ledger);
  if (spec.ipv6 !== undefined) enableIpv6Forwarding(ledger);
  await ensureBridge(nodes, ledger);
  // The first node's agent may make tunnels; those of the others go with their namespaces.
  for (const family of [IPV4, IPV6]) ledger.record({ type: "link", name: tunnelDevice(family) });
  // The first node's agent gives the host the address of the cluster's DNS.
  ledger.record({ type: "address", address: `${dnsAddress(spec)}/32`, link: "lo" });
  const others = nodes.filter((node) => node.networkNamespace !== undefined);
  for (const node of others) await ensureNamespace({ node, nodes, spec, ledger });
  const routes = others.flatMap((node) =>
    familiesOf(node).map(({ podCidr, address }) => ({ podCidr, via: `via ${address} dev ${BRIDGE}` })),
  );
  for (const { podCidr } of routes) ledger.record({ type: "route", destination: podCidr });
  const deadEnds = nodes.slice(0, 1).flatMap(deadEndsOf);
  for (const destination of deadEnds) ledger.record({ type: "route", destination });
  await ipBatch([...routes.map(({ podCidr, via }) => `${podCidr} ${via}`), ...deadEnds].map((route) => `route replace ${route}`));
  await ensureLoadBalancerPool(spec, ledger);
  await runCommand(["nft", "-f", "-"], { input: nodeRules(spec) });
}

/** A node's address and pods, for each IP family. */
function familiesOf({ address, podCidr, ipv6 }: NodeSpec): readonly { readonly address: string; readonly podCidr: string }[] {
  return [{ address, podCidr }, ...(ipv6 === undefined ? [] : [ipv6])];
}

/** Who sends to a pod that is gone is told so at once; pods that are there have routes of their own. */
function deadEndsOf(node: NodeSpec): string[] {
  return familiesOf(node).map(({ podCidr }) => `unreachable ${podCidr}`);
}

/** The pool's addresses are the host's: it answers for them on its links, and what is no Service's is refused. */
async function ensureLoadBalancerPool({ loadBalancerPool }: ClusterSpec, ledger: Ledger): Promise<void> {
  const routes = loadBalancerPool.map((network) => `local ${network} dev lo`);
  for (const destination of routes) ledger.record({ type: "route", destination });
  await ipBatch(routes.map((route) => `route replace ${route}`));
}

function setSysctl(path: string, value: string, ledger: Ledger): void {
  const previous = readFileSync(path, "utf8").trim();
  if (previous === value) return;
  ledger.record({ type: "sysctl", path, previous });
  writeFileSync(path, value);
}

/** A host that forwards stops taking its own routes from routers, unless it is told to go on. */
function enableIpv6Forwarding(ledger: Ledger): void {
  for (const link of readdirSync(IPV6_LINKS)) {
    const path = join(IPV6_LINKS, link, "accept_ra");
    if (link !== "all" && readFileSync(path, "utf8").trim() === "1") setSysctl(path, "2", ledger);
  }
  setSysctl(join(IPV6_LINKS, "all/forwarding"), "1", ledger);
}

async function ensureBridge(nodes: readonly NodeSpec[], ledger: Ledger): Promise<void> {
  ledger.record({ type: "link", name: BRIDGE });
  if (!existsSync(`/sys/class/net/${BRIDGE}`)) await runCommand(["ip", "link", "add", BRIDGE, "type", "bridge"]);
  await ipBatch([...nodes.slice(0, 1).flatMap((node) => addressesOn(node, BRIDGE)), `link set ${BRIDGE} up`]);
}

/** Nobody else can have these addresses, so nobody is asked whether they are free. */
function addressesOn({ address, ipv6 }: NodeSpec, link: string): string[] {
  const first = `address replace ${address}/${PREFIX_LENGTH} dev ${link}`;
  return ipv6 === undefined ? [first] : [first, `address replace ${ipv6.address}/${IPV6_PREFIX_LENGTH} dev ${link} nodad`];
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
      ...addressesOn(node, "eth0"),
      "link set eth0 up",
      `route replace default via ${hostAddress(spec.nodeNetwork, 1)} dev eth0`,
      ...nodes.slice(0, 1).flatMap(({ ipv6 }) => (ipv6 === undefined ? [] : [`route replace ::/0 via ${ipv6.address} dev eth0`])),
      ...deadEndsOf(node).map((route) => `route replace ${route}`),
      ...peers.flatMap(familiesOf).map(({ podCidr, address }) => `route replace ${podCidr} via ${address} dev eth0`),
    ],
    networkNamespace,
  );
  const forwarding = spec.ipv6 === undefined ? [FORWARDING] : [FORWARDING, join(IPV6_LINKS, "all/forwarding")];
  await runCommand(inNamespace(node, ["sh", "-c", forwarding.map((path) => `echo 1 > ${path}`).join("; ")]));
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
    ${ipv6Masquerade(spec)}
  }
  chain input {
    type filter hook input priority filter; policy accept;
    ${[dns, ...pool].join("\n    ")}
  }
}
`;
}

function ipv6Masquerade({ ipv6 }: ClusterSpec): string {
  if (ipv6 === undefined) return "";
  const inside = `{ ${ipv6.nodeNetwork}, ${ipv6.podNetwork}, ${ipv6.serviceNetwork} }`;
  return `ip6 saddr ${ipv6.nodeNetwork} ip6 daddr != ${inside} masquerade`;
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
