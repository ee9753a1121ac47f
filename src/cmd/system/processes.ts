// Long-running processes and the files that name them. A pid file holds the pid and the process's start time, so that a pid
// which the kernel has given to someone else is never taken for ours.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../../base/index.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and the process's start, of /proc/<pid>/stat. */
  readonly startTicks: string;
  /** Tells apart two boots with the same pid and ticks. */
  readonly bootId: string;
}

/** The identity of a live process; undefined when there is none, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    const startTicks = fields[19];
    if (startTicks === undefined || state === "Z" || state === "X") return undefined;
    return { pid, startTicks, bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() };
  } catch {
    return undefined;
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  const current = identify(identity.pid);
  return current !== undefined && current.startTicks === identity.startTicks && current.bootId === identity.bootId;
}

/** The live process that a pid file names. */
export function readPidFile(path: string): ProcessIdentity | undefined {
  let identity: ProcessIdentity;
  try {
    identity = JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
  return isAlive(identity) ? identity : undefined;
}

/** The live processes one of whose arguments is exactly `argument`; finds what has been started but not yet written down. */
export function findByArgument(argument: string): ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(argument)) continue;
    } catch {
      continue;
    }
    const identity = identify(Number(name));
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

export interface DaemonOptions {
  readonly command: readonly string[];
  readonly pidFile: string;
  /** Receives standard output and error. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A daemon that did not outlive its first moments. */
export class DaemonError extends Error {
  readonly code = "DAEMON_FAILED";
  override readonly name = "DaemonError";
}

/** Starts a process in a session of its own which outlives this one, and writes its pid file. */
export function startDaemon(options: DaemonOptions): ProcessIdentity {
  const [file = "", ...args] = options.command;
  mkdirSync(dirname(options.logFile), { recursive: true, mode: 0o700 });
  mkdirSync(dirname(options.pidFile), { recursive: true, mode: 0o700 });
  const log = openSync(options.logFile, "a", 0o600);
  const child = spawn(file, args, { detached: true, stdio: ["ignore", log, log], env: { ...process.env, ...options.env }, cwd: "/" });
  closeSync(log);
  child.on("error", () => {});
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new DaemonError(`${file} could not be started; see ${options.logFile}`);
  writeFileSync(options.pidFile, JSON.stringify(identity), { mode: 0o600 });
  return identity;
}

export interface StopOptions {
  readonly clock: Clock;
  readonly graceMs: number;
  /** How the process is asked. Default SIGTERM. */
  readonly by?: NodeJS.Signals;
}

/** Asks the process to end, and sends SIGKILL after `graceMs`; resolves when it is gone. */
export async function terminate(identity: ProcessIdentity, { clock, graceMs, by = "SIGTERM" }: StopOptions): Promise<void> {
  const killAt = clock.monotonic() + graceMs;
  if (graceMs > 0) signal(identity, by);
  for (let delayMs = 2; isAlive(identity); delayMs = Math.min(delayMs * 2, 50)) {
    if (clock.monotonic() >= killAt) signal(identity, "SIGKILL");
    await clock.sleep(delayMs);
  }
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Ends the process of a pid file and removes the file. */
export async function stopDaemon(pidFile: string, options: StopOptions): Promise<void> {
  const identity = readPidFile(pidFile);
  if (identity !== undefined) await terminate(identity, options);
  rmSync(pidFile, { force: true });
}
