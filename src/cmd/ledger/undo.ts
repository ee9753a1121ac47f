// How each kind of change is taken back. All of it does nothing when there is nothing left to do.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/index.ts";
import type { HostState } from "../reset/host-state.ts";
import { removeCgroup } from "../system/cgroups.ts";
import { CommandError, runCommand, tryCommand } from "../system/command.ts";
import { readIfExists } from "../system/files.ts";
import { mountsBelow, unmountBelow } from "../system/mounts.ts";
import { findByArgument, stopDaemon, terminate } from "../system/processes.ts";
import { canConnect } from "../system/wait.ts";
import type { Change, Undo } from "./change.ts";

/** The kernel's limit. */
const LINK_NAME_LENGTH = 15;
/** Where shims of all containerds of this machine listen. */
const SHIM_SOCKETS = "/run/containerd/s";
/** How long a daemon may take to end by itself. */
const GRACE_MS = 5_000;

export function hostUndo(clock: Clock): Undo {
  return async (change: Change) => {
    switch (change.type) {
      case "process":
        await stopDaemon(change.pidFile, { clock, graceMs: GRACE_MS });
        return killAll(change.argument, clock, GRACE_MS);
      case "shims":
        await killAll(change.address, clock, 0);
        return removeShimSockets(change.hostStateFile);
      case "cgroup":
        return removeCgroup(change.path, clock);
      case "mounts":
        return unmountBelow(change.below);
      case "netns":
        return remove(["ip", "netns", "delete", change.name], /No such file/);
      case "netnsDirectory":
        return removeNetnsDirectory(change.path);
      case "address":
        return remove(["ip", "address", "delete", change.address, "dev", change.link], /Cannot assign|Cannot find device|not found/);
      case "link":
        return remove(["ip", "link", "delete", change.name], /Cannot find device/);
      case "bandwidthLinks":
        return removeBandwidthLinks(change.results, change.containing);
      case "route":
        return remove(["ip", "route", "delete", ...change.destination.split(" ")], /No such process|Cannot find device/);
      case "nftables":
        return removeTables(change.prefix);
      case "sysctl":
        return restoreSysctl(change.path, change.previous);
      case "path":
        return removePath(change.path);
      case "files":
        return removeFiles(change.directory, change.containing);
    }
  };
}

/** Twice, for one that ends may just have started another. */
async function killAll(argument: string, clock: Clock, graceMs: number): Promise<void> {
  for (const _ of ["all", "their last children"])
    await Promise.all(findByArgument(argument).map((identity) => terminate(identity, { clock, graceMs })));
}

async function remove(command: readonly string[], isGone: RegExp): Promise<void> {
  const result = await tryCommand(command);
  if (result.code !== 0 && result.code !== 127 && !isGone.test(result.stderr)) throw new CommandError(command, result);
}

/** Leaves it to others who have come to use it. */
async function removeNetnsDirectory(path: string): Promise<void> {
  if (!existsSync(path) || readdirSync(path).length > 0) return;
  await unmountBelow(path);
  rmdirSync(path);
}

async function removeTables(prefix: string): Promise<void> {
  const listing = await tryCommand(["nft", "list", "tables"]);
  const doomed = listing.stdout
    .split("\n")
    .filter((line) => line.split(" ")[2]?.startsWith(prefix) === true)
    .map((line) => `delete ${line}\n`);
  if (doomed.length > 0) await runCommand(["nft", "-f", "-"], { input: doomed.join("") });
}

function restoreSysctl(path: string, previous: string): void {
  try {
    if (readFileSync(path, "utf8").trim() !== previous) writeFileSync(path, previous);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/**
 * A shim listens outside of its containerd's state, and its bundle does not always name the socket, as when it died while it was
 * started. So the sockets go on which nobody listens, but for those that were there before the cluster.
 */
async function removeShimSockets(hostStateFile: string | undefined): Promise<void> {
  const text = hostStateFile === undefined ? undefined : readIfExists(hostStateFile)?.toString();
  if (text === undefined || !existsSync(SHIM_SOCKETS)) return;
  const { file } = JSON.parse(text) as HostState;
  for (const path of readdirSync(SHIM_SOCKETS).map((name) => join(SHIM_SOCKETS, name))) {
    if (!file.includes(path) && !(await canConnect(path))) rmSync(path, { force: true });
  }
}

/** Refuses to reach into what is still mounted below. */
async function removePath(path: string): Promise<void> {
  await unmountBelow(path);
  const mounted = mountsBelow(path);
  if (mounted.length > 0) throw new Error(`${path} is not removed, ${mounted[0]} is still mounted`);
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

function removeFiles(directory: string, text: string): void {
  for (const { path } of filesContaining(directory, text)) rmSync(path, { force: true });
}

async function removeBandwidthLinks(results: string, text: string): Promise<void> {
  const links = new Set(readdirSync("/sys/class/net"));
  const names = filesContaining(results, text).map(({ content }) => bandwidthLink(content));
  for (const name of new Set(names)) {
    if (name !== undefined && links.has(name)) await remove(["ip", "link", "delete", name], /Cannot find device/);
  }
}

/** The name that the plug-in gives the link of a sandbox, by a result of CNI's library; undefined when it is none. */
export function bandwidthLink(result: string): string | undefined {
  try {
    const { networkName, containerId } = JSON.parse(result) as { readonly networkName?: unknown; readonly containerId?: unknown };
    if (typeof networkName !== "string" || typeof containerId !== "string") return undefined;
    return `bwp${createHash("sha512")
      .update(networkName + containerId)
      .digest("hex")}`.slice(0, LINK_NAME_LENGTH);
  } catch {
    return undefined;
  }
}

function filesContaining(directory: string, text: string): readonly { readonly path: string; readonly content: string }[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const content = readIfExists(path)?.toString();
    return content?.includes(text) === true ? [{ path, content }] : [];
  });
}
