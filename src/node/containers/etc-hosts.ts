// The hosts file that a pod's containers see.
import type { NodeContext } from "../node-context.ts";
import type { PodObject } from "../pod/pod-object.ts";
import { podHostname } from "./sandbox-config.ts";

const HEAD = [
  "# Kubernetes-managed hosts file.",
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

/** The file's text; a pod in the host's network starts from the host's file, `hostFile`. */
export function etcHosts(
  context: Pick<NodeContext, "nodeName" | "clusterDomain">,
  pod: PodObject,
  facts: { readonly podIps: readonly string[]; readonly hostFile: string },
): string {
  const aliases = pod.spec?.hostAliases ?? [];
  const tail =
    aliases.length === 0
      ? ""
      : ["", "# Entries added by HostAliases.", ...aliases.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join("\t")), ""].join("\n");
  if (pod.spec?.hostNetwork === true) return `# Kubernetes-managed hosts file (host network).\n${facts.hostFile}${tail}`;
  const { hostname, domain } = podHostname(context, pod);
  const short = hostname.split(".", 1)[0] ?? hostname;
  const names = domain === undefined ? short : `${short}.${domain}\t${short}`;
  return `${[...HEAD, ...facts.podIps.map((ip) => `${ip}\t${names}`)].join("\n")}\n${tail}`;
}
