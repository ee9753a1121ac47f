// What the machine must have before anything is changed on it. Looking and judging are apart; the judgement has the tests.
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { cgroupHost } from "../system/cgroups.ts";

export interface HostFacts {
  readonly platform: string;
  readonly isRoot: boolean;
  readonly controllers: ReadonlySet<string>;
  readonly cgroupVersion: 1 | 2;
  readonly fileSystems: ReadonlySet<string>;
  readonly isPortFree: boolean;
  readonly freeBytes: number;
  /** Effective capabilities as the kernel's bit set. */
  readonly capabilities: bigint;
  /** Whether the data directory holds something that is not a cluster of ours. */
  readonly isDataForeign: boolean;
  readonly missingCommands: readonly string[];
  readonly canInstall: boolean;
  readonly hasSystemdResolved: boolean;
}

export interface Finding {
  readonly severity: "error" | "warning";
  readonly message: string;
}

const REQUIRED_CONTROLLERS = ["cpu", "memory", "pids", "cpuset"];
/** All that is left of a cluster that could not be taken down completely. */
const LEDGER_NAME = "ledger.jsonl";
const LEAST_FREE_BYTES = 1 << 30;
const CAP_SYS_ADMIN = 21n;
const CAP_NET_ADMIN = 12n;
const CAP_SYS_RESOURCE = 24n;
const SEARCH_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** What each needed file is installed by. Plug-ins and programs alike are looked up by path. */
export const NEEDED_PACKAGES: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  "/usr/lib/cni/ptp": "containernetworking-plugins",
  nft: "nftables",
  ip: "iproute2",
  conntrack: "conntrack",
  "/usr/bin/catatonit": "catatonit",
};

/** Whether a capability is among the effective ones. */
export function hasCapability(facts: Pick<HostFacts, "capabilities">, bit: bigint): boolean {
  return ((facts.capabilities >> bit) & 1n) === 1n;
}

export function canLowerOomScore(facts: Pick<HostFacts, "capabilities">): boolean {
  return hasCapability(facts, CAP_SYS_RESOURCE);
}

export interface JudgeOptions {
  readonly port: number;
  readonly dataDirectory: string;
}

/** Everything that stands in the way, or limits the cluster; each one sentence that says what to do. */
export function judge(facts: HostFacts, { port, dataDirectory }: JudgeOptions): Finding[] {
  const error = (message: string): Finding => ({ severity: "error", message });
  if (facts.platform !== "linux") return [error(`containers need Linux, this is ${facts.platform}; run k8ts in a Linux virtual machine`)];
  if (!facts.isRoot) return [error("containers need root; run the same command with sudo")];
  const findings: Finding[] = [];
  if (!hasCapability(facts, CAP_SYS_ADMIN) || !hasCapability(facts, CAP_NET_ADMIN)) {
    findings.push(error("root lacks CAP_SYS_ADMIN or CAP_NET_ADMIN here; run outside of a container, or in a privileged one"));
  }
  const missing = REQUIRED_CONTROLLERS.filter((controller) => !facts.controllers.has(controller));
  if (missing.length > 0)
    findings.push(error(`the cgroup controllers ${missing.join(", ")} are missing; mount them, or enable them in the kernel`));
  if (!facts.fileSystems.has("overlay")) findings.push(error("the kernel has no overlayfs; run modprobe overlay"));
  if (!facts.isPortFree) findings.push(error(`port ${port} is taken; end what listens there or choose another with --port`));
  if (facts.isDataForeign) findings.push(error(`${dataDirectory} holds something else; empty it or choose another with --data-dir`));
  if (facts.freeBytes < LEAST_FREE_BYTES) {
    findings.push(
      error(
        `${dataDirectory} has ${Math.floor(facts.freeBytes / 2 ** 20)} MiB free and needs 1024; make room or choose another with --data-dir`,
      ),
    );
  }
  if (facts.missingCommands.length > 0 && !facts.canInstall) {
    findings.push(
      error(`${facts.missingCommands.join(", ")} not found and there is no apt-get here; install ${packagesFor(facts).join(" ")}`),
    );
  }
  if (!canLowerOomScore(facts)) {
    findings.push({
      severity: "warning",
      message: "root lacks CAP_SYS_RESOURCE, so pods cannot be protected from the kernel's OOM killer",
    });
  }
  return findings;
}

/** The Debian packages that bring what is missing. */
export function packagesFor(facts: Pick<HostFacts, "missingCommands">): string[] {
  return facts.missingCommands.map((command) => NEEDED_PACKAGES[command] ?? command);
}

export interface LookOptions extends JudgeOptions {
  readonly clusterFile: string;
  /** Our own server listens already. */
  readonly isServerRunning: boolean;
}

export async function lookAtHost(options: LookOptions): Promise<HostFacts> {
  const cgroups = cgroupHost();
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    controllers: cgroups.controllers,
    cgroupVersion: cgroups.version,
    fileSystems: new Set(readFileSync("/proc/filesystems", "utf8").split(/\s+/)),
    isPortFree: options.isServerRunning || (await isPortFree(options.port)),
    freeBytes: freeBytes(options.dataDirectory),
    capabilities: BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`),
    isDataForeign: isForeign(options.dataDirectory, options.clusterFile),
    missingCommands: Object.keys(NEEDED_PACKAGES).filter((command) => !isInstalled(command)),
    canInstall: isInstalled("apt-get"),
    hasSystemdResolved: existsSync("/run/systemd/resolve/resolv.conf"),
  };
}

/** Whether a program is on the system's path, or a file of that full name is there. */
export function isInstalled(command: string): boolean {
  const candidates = command.startsWith("/") ? [command] : SEARCH_PATH.map((directory) => join(directory, command));
  return candidates.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function isForeign(directory: string, clusterFile: string): boolean {
  return existsSync(directory) && !existsSync(clusterFile) && readdirSync(directory).some((name) => name !== LEDGER_NAME);
}

function freeBytes(directory: string): number {
  let existing = directory;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
