// The kernel's tables as the network components want them: connections, routes and local addresses, by their commands.
import {
  deviceCommands,
  familyOf,
  parseFlow,
  type RouteTable,
  type TunnelEnd,
  tunnelCommands,
  tunnelDevice,
  tunnelRemoval,
  type UdpFlows,
} from "../../network/index.ts";
import { CommandError, runCommand, tryCommand } from "../system/command.ts";

export const routeTable: RouteTable = {
  isOnLink: async (address) => {
    const { code, stdout } = await tryCommand(["ip", "route", "get", address]);
    return code === 0 && !/ via /.test(stdout);
  },
  replace: async (cidr, via) => {
    await runCommand(["ip", familyFlag(cidr), "route", "replace", cidr, "via", via]);
  },
  remove: async (cidr, via) => {
    await runCommand([
      "sh",
      "-c",
      'ip "$3" route show "$1" via "$2" | grep -q . && ip "$3" route del "$1" via "$2" || true',
      "sh",
      cidr,
      via,
      familyFlag(cidr),
    ]);
  },
  replaceTunnel: async (own, peer) => {
    await ensureTunnelDevice(own, peer);
    for (const command of tunnelCommands(own, peer)) await runCommand(command);
  },
  removeTunnel: async (peer) => {
    for (const command of tunnelRemoval(peer)) {
      const result = await tryCommand(command);
      if (result.code !== 0 && !/No such (process|file)|Cannot find device/.test(result.stderr)) throw new CommandError(command, result);
    }
  },
};

/** As large as the link that leads to the peer allows. */
async function ensureTunnelDevice(own: TunnelEnd, peer: TunnelEnd): Promise<void> {
  if ((await tryCommand(["ip", "link", "show", tunnelDevice(familyOf(own.address))])).code === 0) return;
  const link = / dev (\S+)/.exec(await runCommand(["ip", "route", "get", peer.address]))?.[1] ?? "";
  const mtu = / mtu (\d+)/.exec(await runCommand(["ip", "link", "show", link]))?.[1];
  for (const command of deviceCommands(own, Number(mtu ?? 1500))) await runCommand(command);
}

function familyFlag(cidr: string): string {
  return cidr.includes(":") ? "-6" : "-4";
}

/** By `conntrack`, which says that it found nothing to delete with status 1. */
export const udpFlows: UdpFlows = {
  list: async (signal) => {
    const listing = await runCommand(["conntrack", "-L", "-p", "udp"], { signal });
    return listing.split("\n").flatMap((line) => parseFlow(line) ?? []);
  },
  remove: async ({ destination, port, replySource }, signal) => {
    const command = ["conntrack", "-D", "-p", "udp", "--orig-dst", destination, "--orig-port-dst", `${port}`, "--reply-src", replySource];
    const result = await tryCommand(command, { signal });
    if (result.code !== 0 && !/ 0 flow entries/.test(result.stderr)) throw new CommandError(command, result);
  },
};

/** Makes `address` one of this node's own, on loopback. */
export async function ensureLocalAddress(address: string): Promise<void> {
  await runCommand(["ip", "address", "replace", `${address}/32`, "dev", "lo"]);
}
