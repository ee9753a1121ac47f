// The kernel's tables as the network components want them: connections, routes and local addresses, by their commands.
import { parseFlow, type RouteTable, type UdpFlows } from "../../network/index.ts";
import { CommandError, runCommand, tryCommand } from "../system/command.ts";

export const routeTable: RouteTable = {
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
};

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
