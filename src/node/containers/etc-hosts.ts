// The hosts file that a pod's containers see.
import type { NodeContext } from "../node-context.ts";
import type { PodObject } from "../pod/pod-object.ts";
import { hostsFile } from "../volumes/index.ts";
import { podHostname } from "./sandbox-config.ts";

/** The file's text; a pod in the host's network starts from the host's file, `hostFile`. */
export function etcHosts(
  context: Pick<NodeContext, "nodeName" | "clusterDomain">,
  pod: PodObject,
  facts: { readonly podIps: readonly string[]; readonly hostFile: string },
): string {
  const { hostname, domain = "" } = podHostname(context, pod);
  const own = { ips: facts.podIps, hostname: hostname.split(".", 1)[0] ?? hostname, domain, aliases: pod.spec?.hostAliases ?? [] };
  return hostsFile(pod.spec?.hostNetwork === true ? { ...own, hostContent: facts.hostFile } : own);
}
