// A pod's sandbox as the runtime is to make it.
import type { NodeContext } from "../node-context.ts";
import { type PodObject, podUid } from "../pod/pod-object.ts";
import { LABELS, type PortMapping, type SandboxConfig } from "../runtime/runtime.ts";
import { podDns } from "./dns.ts";
import { podNamespaces, seccomp, supplementalGroups } from "./security.ts";

/** Linux limits host names, and the kernel's own name of the host. */
const MAX_HOSTNAME = 63;
const MAX_FQDN = 64;

/** By them a pod asks for a limit. */
const BANDWIDTH_ANNOTATIONS = ["kubernetes.io/ingress-bandwidth", "kubernetes.io/egress-bandwidth"];

/** `<logDir>/<namespace>_<name>_<uid>` */
export function podLogDirectory(context: Pick<NodeContext, "logDir">, pod: PodObject): string {
  return `${context.logDir}/${pod.metadata.namespace ?? ""}_${pod.metadata.name ?? ""}_${podUid(pod)}`;
}

/** The name by which the pod's containers know themselves, and its domain when it has one. */
export function podHostname(
  context: Pick<NodeContext, "nodeName" | "clusterDomain">,
  pod: PodObject,
): { hostname: string; domain?: string } {
  const { hostNetwork, hostname, hostnameOverride, subdomain, setHostnameAsFQDN } = pod.spec ?? {};
  if (hostnameOverride !== undefined && hostnameOverride !== "") return { hostname: hostnameOverride };
  if (hostNetwork === true) return { hostname: context.nodeName };
  const own = (hostname === undefined || hostname === "" ? (pod.metadata.name ?? "") : hostname)
    .slice(0, MAX_HOSTNAME)
    .replace(/[-.]+$/, "");
  if (subdomain === undefined || subdomain === "") return { hostname: own };
  const domain = `${subdomain}.${pod.metadata.namespace ?? ""}.svc.${context.clusterDomain}`;
  return setHostnameAsFQDN === true ? { hostname: `${own}.${domain}`, domain } : { hostname: own, domain };
}

function portMappings(pod: PodObject): readonly PortMapping[] {
  if (pod.spec?.hostNetwork === true) return [];
  const containers = [
    ...(pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always"),
    ...(pod.spec?.containers ?? []),
  ];
  return containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ containerPort, hostPort = 0, hostIP, protocol = "TCP" }): PortMapping[] => {
      if (hostPort === 0 || (protocol !== "TCP" && protocol !== "UDP" && protocol !== "SCTP")) return [];
      return [{ protocol, containerPort, hostPort, ...(hostIP === undefined ? {} : { hostIP }) }];
    }),
  );
}

/** Sandbox and containers carry these. */
export function podLabels(pod: PodObject): Record<string, string> {
  return {
    [LABELS.podName]: pod.metadata.name ?? "",
    [LABELS.podNamespace]: pod.metadata.namespace ?? "",
    [LABELS.podUid]: podUid(pod),
  };
}

/** The handler of the pod's RuntimeClass, or in its place the one that also limits the pod's bandwidth. */
async function runtimeHandler(context: NodeContext, pod: PodObject): Promise<string> {
  const { runtimeClassName = "", hostUsers } = pod.spec ?? {};
  const name = runtimeClassName === "" ? "" : (await context.objects.runtimeClass(runtimeClassName)).handler;
  // DEVIATION: pods in user namespaces are refused, also by runtimes that could run them: nobody hands out id ranges yet.
  if (hostUsers === false) throw new Error(`RuntimeClass handler "${name}" does not support user namespaces`);
  const isLimited = BANDWIDTH_ANNOTATIONS.some((annotation) => pod.metadata.annotations?.[annotation] !== undefined);
  return (isLimited ? context.bandwidthHandlers?.get(name) : undefined) ?? name;
}

/** @throws Error when the whole name is asked for and the kernel does not hold it. */
function sandboxHostname(context: NodeContext, pod: PodObject): string {
  // In the host's network the name is the host's, and cannot be set.
  if (pod.spec?.hostNetwork === true) return "";
  const { hostname } = podHostname(context, pod);
  if (hostname.length <= MAX_FQDN) return hostname;
  const limits = `(${MAX_FQDN} is the max, ${hostname.length} characters requested)`;
  throw new Error(`failed to construct FQDN from pod hostname and cluster domain, FQDN ${hostname} is too long ${limits}`);
}

export async function sandboxConfig(
  context: NodeContext,
  pod: PodObject,
  made: { readonly attempt: number; readonly cgroupParent: string },
): Promise<SandboxConfig> {
  const security = pod.spec?.securityContext ?? {};
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const { runAsUser, runAsGroup } = security;
  return {
    name: pod.metadata.name ?? "",
    namespace: pod.metadata.namespace ?? "",
    uid: podUid(pod),
    attempt: made.attempt,
    hostname: sandboxHostname(context, pod),
    logDirectory: podLogDirectory(context, pod),
    dns: await podDns(context, pod),
    portMappings: portMappings(pod),
    labels: { ...pod.metadata.labels, ...podLabels(pod) },
    annotations: { ...pod.metadata.annotations },
    cgroupParent: made.cgroupParent,
    sysctls: Object.fromEntries((security.sysctls ?? []).map(({ name, value }) => [name.replaceAll("/", "."), value])),
    namespaces: podNamespaces(pod),
    security: {
      ...(runAsUser === undefined ? {} : { runAsUser }),
      // Runtimes refuse a group without a user.
      ...(runAsUser === undefined || runAsGroup === undefined ? {} : { runAsGroup }),
      supplementalGroups: supplementalGroups(pod),
      privileged: all.some(({ securityContext }) => securityContext?.privileged === true),
      ...seccomp(context, security.seccompProfile ?? { type: "RuntimeDefault" }),
    },
    runtimeHandler: await runtimeHandler(context, pod),
  };
}
