// The name servers that a cluster's administrator chose: the ConfigMap kube-system/kube-dns in the form that Kubernetes
// documents for it. @see https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
import type { ConfigMap } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { Upstreams } from "./forwarder.ts";

/** What is wrong with a key of the ConfigMap, as a sentence. */
export type Complain = (problem: string) => void;

/** `stubDomains` and `upstreamNameservers` of the ConfigMap; `servers` where it names none. */
export function configuredUpstreams(
  config: DeepReadonly<ConfigMap> | undefined,
  servers: readonly string[],
  complain: Complain,
): Upstreams {
  const domains = parse(config, "stubDomains", complain);
  const named = parse(config, "upstreamNameservers", complain);
  const stubDomains = new Map(
    Object.entries(isRecord(domains) ? domains : {}).map(([domain, list]) => [domain.toLowerCase().replace(/\.$/, ""), addresses(list)]),
  );
  const chosen = addresses(named);
  return { servers: chosen.length > 0 ? chosen : servers, stubDomains };
}

function parse(config: DeepReadonly<ConfigMap> | undefined, key: string, complain: Complain): unknown {
  const text = config?.data?.[key];
  if (text === undefined || text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    complain(`${key} of the ConfigMap kube-system/kube-dns is not JSON and is not used: ${String(error)}`);
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function addresses(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
