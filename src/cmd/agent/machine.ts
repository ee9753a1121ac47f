// What this machine is, for the Node object.
import { readFileSync, statfsSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { MachineInfo } from "../../node/index.ts";

export function machineInfo({ storagePath, nodeName }: { readonly storagePath: string; readonly nodeName: string }): MachineInfo {
  const storage = statfsSync(storagePath);
  const machineId = readText("/etc/machine-id") || readText("/sys/class/dmi/id/product_uuid") || nodeName;
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    storageBytes: storage.blocks * storage.bsize,
    kernel: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readText("/etc/os-release"))?.[1] ?? "Linux",
    bootId: readText("/proc/sys/kernel/random/boot_id"),
    machineId,
    systemUuid: readText("/sys/class/dmi/id/product_uuid") || machineId,
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    isAppArmorEnabled: readText("/sys/module/apparmor/parameters/enabled") === "Y",
  };
}

/** "" when the file is missing or not ours to read. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
