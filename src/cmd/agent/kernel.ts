// The kernel's tables as the network components want them: nftables, routes and local addresses, by their commands.
import type { RouteTable, RunNft } from "../../network/index.ts";
import { runCommand } from "../system/command.ts";

export const runNft: RunNft = async (script, signal) => {
  await runCommand(["nft", "-f", "-"], { input: script, ...(signal === undefined ? {} : { signal }) });
};

export const routeTable: RouteTable = {
  replace: async (cidr, via) => {
    await runCommand(["ip", "route", "replace", cidr, "via", via]);
  },
  remove: async (cidr, via) => {
    await runCommand(["sh", "-c", 'ip route show "$1" via "$2" | grep -q . && ip route del "$1" via "$2" || true', "sh", cidr, via]);
  },
};

/** Makes `address` one of this node's own, on loopback. */
export async function ensureLocalAddress(address: string): Promise<void> {
  await runCommand(["ip", "address", "replace", `${address}/32`, "dev", "lo"]);
}
