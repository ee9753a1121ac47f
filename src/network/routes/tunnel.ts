// VXLAN to nodes of other segments: what the kernel must know of one peer, as data. Both ends derive the hardware address of an end
// from its node's address, so nothing needs to be announced. Each IP family has a device of its own.
import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import { familyOf, type IpFamily } from "../ip-family.ts";

const NETWORK_ID = 1;
const PORT = 4789;
/** The outer headers: Ethernet 14, UDP 8, VXLAN 8, and the IP header. */
const OVERHEAD = { IPv4: 50, IPv6: 70 } as const;

/** A node as tunnels know it, in one IP family. */
export interface TunnelEnd {
  /** The node's own address, which outer packets have. */
  readonly address: string;
  readonly podCidr: string;
}

/** The name of the device of a family. */
export function tunnelDevice(family: IpFamily): string {
  return family.name === "IPv4" ? "k8ts-vxlan4" : "k8ts-vxlan6";
}

/** The hardware address of the end of a tunnel: locally administered, the same wherever it is computed. */
export function tunnelMac(address: string): string {
  const hash = createHash("sha256").update(ipaddr.parse(address).toNormalizedString()).digest("hex");
  return ["02", ...(hash.slice(0, 10).match(/../g) ?? [])].join(":");
}

/** What makes this node's end; `mtu` is that of the link below. Fails where the device stands already. */
export function deviceCommands(own: TunnelEnd, mtu: number): string[][] {
  const family = familyOf(own.address);
  const device = tunnelDevice(family);
  const kind = ["type", "vxlan", "id", `${NETWORK_ID}`, "dstport", `${PORT}`, "local", own.address, "nolearning"];
  return [["ip", "link", "add", device, "address", tunnelMac(own.address), "mtu", `${mtu - OVERHEAD[family.name]}`, ...kind]];
}

/** What leads to a peer's pods over a device that stands; may be repeated. Replies to the node come back through the tunnel, too. */
export function tunnelCommands(own: TunnelEnd, peer: TunnelEnd): string[][] {
  const device = tunnelDevice(familyOf(own.address));
  const gateway = gatewayOf(peer);
  const mac = tunnelMac(peer.address);
  const noDad = familyOf(own.address).name === "IPv6" ? ["nodad"] : [];
  return [
    ["ip", "address", "replace", hostNetwork(gatewayOf(own)), "dev", device, ...noDad],
    ["ip", "link", "set", device, "up"],
    ["bridge", "fdb", "replace", mac, "dev", device, "dst", peer.address, "self", "permanent"],
    ["ip", "neigh", "replace", gateway, "lladdr", mac, "dev", device, "nud", "permanent"],
    ["ip", "route", "replace", peer.podCidr, "via", gateway, "dev", device, "onlink"],
  ];
}

/** Takes back what led to a peer; each may find nothing. */
export function tunnelRemoval(peer: TunnelEnd): string[][] {
  const device = tunnelDevice(familyOf(peer.address));
  const gateway = gatewayOf(peer);
  return [
    ["ip", "route", "del", peer.podCidr, "via", gateway, "dev", device],
    ["ip", "neigh", "del", gateway, "dev", device],
    ["bridge", "fdb", "del", tunnelMac(peer.address), "dev", device, "dst", peer.address, "self"],
  ];
}

/** The first address of a node's pods, which no pod has: it stands for the node inside the tunnel. */
function gatewayOf({ podCidr }: TunnelEnd): string {
  return podCidr.replace(/\/.*$/, "");
}

function hostNetwork(address: string): string {
  return `${address}/${familyOf(address).name === "IPv4" ? 32 : 128}`;
}
