// What a cluster could leave behind on its host, as text that can be compared: taken before the first `up`, and again after
// the cluster is gone.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupHost } from "../system/cgroups.ts";
import { tryCommand } from "../system/command.ts";
import { mountPoints } from "../system/mounts.ts";

export const aspects = [
  "mount",
  "link",
  "address",
  "route",
  "rule",
  "network namespace",
  "nftables table",
  "sysctl",
  "cgroup",
  "file",
  "process",
] as const;

/** What there is of each aspect, sorted, a text each. */
export type HostState = Readonly<Record<(typeof aspects)[number], readonly string[]>>;

/** Directories in which programs of a node keep files. */
const WATCHED_DIRECTORIES = ["/etc", "/etc/cni", "/etc/cni/net.d", "/opt", "/opt/cni", "/run", "/run/containerd", "/run/containerd/s"];
const MORE_DIRECTORIES = ["/var/lib", "/var/lib/cni", "/var/lib/kubelet", "/var/log", "/var/log/pods", "/var/log/containers"];

const SYSCTLS = [
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all/route_localnet",
  "net/ipv4/conf/all/rp_filter",
  "net/ipv4/conf/default/rp_filter",
  "net/ipv6/conf/all/forwarding",
  "net/netfilter/nf_conntrack_max",
  "vm/overcommit_memory",
  "kernel/panic",
  "kernel/panic_on_oops",
];

/** Looks at the host; the cluster's own directories, which `own` names, are not files to remark but mark its processes. */
export async function lookAtHostState(own: readonly string[]): Promise<HostState> {
  const [addresses, routes, rules, tables] = await Promise.all([
    lines("ip", "-o", "address", "show"),
    lines("ip", "-4", "route", "show", "table", "all"),
    lines("ip", "rule", "show"),
    lines("nft", "list", "tables"),
  ]);
  const state: Record<(typeof aspects)[number], string[]> = {
    mount: mountPoints().map(({ path }) => path),
    link: entriesOf("/sys/class/net"),
    address: addresses.map((line) => line.split(/\s+/).slice(1, 4).join(" ")),
    route: routes.map((line) => line.trim()),
    rule: rules.map((line) => line.trim()),
    "network namespace": entriesOf("/run/netns"),
    "nftables table": tables,
    sysctl: SYSCTLS.flatMap((name) => sysctl(name)),
    cgroup: cgroupHost().hierarchies.flatMap((hierarchy) => entriesOf(hierarchy, { onlyDirectories: true })),
    file: [...WATCHED_DIRECTORIES, ...MORE_DIRECTORIES].flatMap((directory) => entriesOf(directory)).filter((path) => !own.includes(path)),
    process: processesOf(own),
  };
  for (const aspect of aspects) state[aspect].sort();
  return state;
}

/** What is there that was not (`+`), and what was there that is not (`-`), a line each. */
export function differences(before: HostState, after: HostState): string[] {
  return aspects.flatMap((aspect) => {
    const [was, is] = [new Set(before[aspect]), new Set(after[aspect])];
    const added = [...is].filter((text) => !was.has(text)).map((text) => `+ ${aspect} ${text}`);
    const gone = [...was].filter((text) => !is.has(text)).map((text) => `- ${aspect} ${text}`);
    return [...added, ...gone];
  });
}

async function lines(...command: string[]): Promise<string[]> {
  const { stdout } = await tryCommand(command);
  return stdout.split("\n").filter((line) => line !== "");
}

function entriesOf(directory: string, { onlyDirectories = false } = {}): string[] {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries.filter((entry) => !onlyDirectories || entry.isDirectory()).map(({ name }) => join(directory, name));
}

function sysctl(name: string): string[] {
  const path = join("/proc/sys", name);
  return existsSync(path) ? [`${name.replaceAll("/", ".")} = ${readFileSync(path, "utf8").trim()}`] : [];
}

/** Processes, this one excepted, that have one of `own` among their arguments. */
function processesOf(own: readonly string[]): string[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return ids.flatMap((id) => {
    const command = commandLine(id);
    const isOurs =
      !command.some((argument) => argument === "reset") && command.some((argument) => own.some((path) => argument.startsWith(path)));
    return isOurs ? [command.join(" ")] : [];
  });
}

function commandLine(id: string): string[] {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8")
      .split("\0")
      .filter((part) => part !== "");
  } catch {
    // It has just ended.
    return [];
  }
}
