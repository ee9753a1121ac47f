// Files that the node makes for a pod beside its volumes: /etc/hosts and the termination logs.
import { chmod, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostAlias } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export interface HostsFileOptions {
  /** The pod's addresses; for a pod in the host's network give `hostContent` instead. */
  readonly ips: readonly string[];
  readonly hostname: string;
  /** `subdomain.namespace.svc.cluster.local`, or "". */
  readonly domain: string;
  readonly aliases: DeepReadonly<HostAlias[]>;
  /** The node's own /etc/hosts. */
  readonly hostContent?: string;
}

const LOCAL_LINES = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

/** The content of a container's /etc/hosts. */
export function hostsFile({ ips, hostname, domain, aliases, hostContent }: HostsFileOptions): string {
  const names = domain === "" ? hostname : `${hostname}.${domain}\t${hostname}`;
  const own =
    hostContent === undefined
      ? ["# Kubernetes-managed hosts file.", ...LOCAL_LINES, ...ips.map((ip) => `${ip}\t${names}`), ""].join("\n")
      : `# Kubernetes-managed hosts file (host network).\n${hostContent}`;
  if (aliases.length === 0) return own;
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}`);
  return `${own}\n# Entries added by HostAliases.\n${lines.join("\n")}\n`;
}

/** What of a termination message is kept. */
const MAX_TERMINATION_MESSAGE_BYTES = 4_096;

export class PodFiles {
  readonly #rootDir: string;

  constructor(rootDir: string) {
    this.#rootDir = rootDir;
  }

  /** Writes the pod's hosts file and answers its path. */
  async writeHosts(podUid: string, content: string): Promise<string> {
    const directory = join(this.#rootDir, "pods", podUid);
    await mkdir(directory, { recursive: true });
    const path = join(directory, "etc-hosts");
    await writeFile(path, content, { mode: 0o644 });
    return path;
  }

  /** Makes an empty file that the container may write its last words to, and answers its path. */
  async makeTerminationLog(podUid: string, containerName: string, attempt: number): Promise<string> {
    const directory = join(this.#rootDir, "pods", podUid, "containers", containerName);
    await mkdir(directory, { recursive: true });
    const path = join(directory, String(attempt));
    await writeFile(path, "");
    await chmod(path, 0o666);
    return path;
  }

  /** The end of what the container wrote; "" when there is nothing. */
  async readTerminationLog(podUid: string, containerName: string, attempt: number): Promise<string> {
    return await readEnd(join(this.#rootDir, "pods", podUid, "containers", containerName, String(attempt)), MAX_TERMINATION_MESSAGE_BYTES);
  }

  /** The node's own /etc/hosts. */
  async nodeHosts(): Promise<string> {
    return await readFile("/etc/hosts", "utf8");
  }
}

/** The last `limit` bytes of a file; "" when it is missing. */
export async function readEnd(path: string, limit: number): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const length = Math.min(size, limit);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}
