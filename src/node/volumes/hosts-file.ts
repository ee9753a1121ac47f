// The /etc/hosts of a pod's containers.
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
