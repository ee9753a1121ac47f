// A pod's resolver configuration from its DNS policy.
import type { NodeContext } from "../node-context.ts";
import type { PodObject } from "../pod/pod-object.ts";
import type { SandboxConfig } from "../runtime/runtime.ts";

type Dns = NonNullable<SandboxConfig["dns"]>;

/** @see https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy */
export async function podDns(
  context: Pick<NodeContext, "files" | "resolvConf" | "clusterDns" | "clusterDomain">,
  pod: PodObject,
): Promise<Dns> {
  const base = await baseDns(context, pod);
  const own = pod.spec?.dnsConfig;
  if (own === undefined) return base;
  const options = new Map(base.options.map((option) => [option.split(":", 1)[0] ?? option, option]));
  for (const { name = "", value } of own.options ?? []) {
    options.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  }
  return {
    servers: unique([...base.servers, ...(own.nameservers ?? [])]),
    searches: unique([...base.searches, ...(own.searches ?? [])]),
    options: [...options.values()],
  };
}

async function baseDns(context: Parameters<typeof podDns>[0], pod: PodObject): Promise<Dns> {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const host = parseResolvConf((await context.files.read(context.resolvConf)) ?? "");
  const isCluster = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && pod.spec?.hostNetwork !== true);
  if (!isCluster || context.clusterDns.length === 0) return host;
  const domain = context.clusterDomain;
  const own = [`${pod.metadata.namespace ?? "default"}.svc.${domain}`, `svc.${domain}`, domain];
  return { servers: context.clusterDns, searches: unique([...own, ...host.searches]), options: ["ndots:5"] };
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

/** The last `search` line wins, as for the resolver. */
export function parseResolvConf(text: string): Dns {
  const servers: string[] = [];
  const options: string[] = [];
  let searches: readonly string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === "nameserver" && words[0] !== undefined) servers.push(words[0]);
    else if (keyword === "search") searches = words.filter((word) => word !== ".");
    else if (keyword === "options") options.push(...words);
  }
  return { servers, searches, options };
}
