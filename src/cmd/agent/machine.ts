// What this machine is, for the Node object.
import { existsSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { MachineInfo } from "../../node/index.ts";

export function machineInfo({ storagePath, nodeName }: { readonly storagePath: string; readonly nodeName: string }): MachineInfo {
  const storage = statfsSync(storagePath);
  const machineId = readText("/etc/machine-id") || readText("/sys/class/dmi/id/product_uuid") || nodeName;
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    storageBytes: storage.blocks * storage.bsize,
    hugePages: hugePages(),
    kernel: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readText("/etc/os-release"))?.[1] ?? "Linux",
    bootId: readText("/proc/sys/kernel/random/boot_id"),
    machineId,
    systemUuid: readText("/sys/class/dmi/id/product_uuid") || machineId,
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    isAppArmorEnabled: readText("/sys/module/apparmor/parameters/enabled") === "Y",
  };
}

const HUGE_PAGES_DIRECTORY = "/sys/kernel/mm/hugepages";

/** What the machine has set aside in pages of each size that it can have, whoever uses them. */
function hugePages(): Record<string, number> {
  if (!existsSync(HUGE_PAGES_DIRECTORY)) return {};
  const entries = readdirSync(HUGE_PAGES_DIRECTORY).flatMap((name) => {
    const kibibytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    const pages = Number(readText(`${HUGE_PAGES_DIRECTORY}/${name}/nr_hugepages`));
    return Number.isNaN(kibibytes) ? [] : [[`hugepages-${formatSize(kibibytes)}`, pages * kibibytes * 1024] as const];
  });
  return Object.fromEntries(entries);
}

function formatSize(kibibytes: number): string {
  if (kibibytes % 2 ** 20 === 0) return `${kibibytes / 2 ** 20}Gi`;
  return kibibytes % 1024 === 0 ? `${kibibytes / 1024}Mi` : `${kibibytes}Ki`;
}

/** "" when the file is missing or not ours to read. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
