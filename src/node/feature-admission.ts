// What a pod asks of the kernel or the runtime and this node cannot give: such a pod is refused. Pure.
import type { PodObject } from "./pod/pod-object.ts";
import type { EndCause } from "./pod/pod-view.ts";

export interface NodeFeatures {
  /** Undefined as long as the runtime has not said. */
  readonly supplementalGroupsPolicy: boolean | undefined;
  readonly isAppArmorEnabled: boolean;
}

/** Sysctls that touch nothing outside their pod, with the namespace that holds them. */
const SAFE_SYSCTLS: ReadonlyMap<string, "ipc" | "net"> = new Map([
  ["kernel.shm_rmid_forced", "ipc"],
  ["net.ipv4.ip_local_port_range", "net"],
  ["net.ipv4.tcp_syncookies", "net"],
  ["net.ipv4.ping_group_range", "net"],
  ["net.ipv4.ip_unprivileged_port_start", "net"],
  ["net.ipv4.ip_local_reserved_ports", "net"],
  ["net.ipv4.tcp_keepalive_time", "net"],
  ["net.ipv4.tcp_fin_timeout", "net"],
  ["net.ipv4.tcp_keepalive_intvl", "net"],
  ["net.ipv4.tcp_keepalive_probes", "net"],
  ["net.ipv4.tcp_rmem", "net"],
  ["net.ipv4.tcp_wmem", "net"],
]);

/** Why the node refuses the pod; undefined when it does not. */
export function refusedFeature(pod: PodObject, features: NodeFeatures): EndCause | undefined {
  return refusedSysctl(pod) ?? refusedAppArmor(pod, features) ?? refusedGroupsPolicy(pod, features);
}

function refused(reason: string, message: string): EndCause {
  return { phase: "Failed", reason, message: `Pod was rejected: ${message}` };
}

/** @see https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#enabling-unsafe-sysctls */
function refusedSysctl(pod: PodObject): EndCause | undefined {
  const { securityContext, hostNetwork, hostIPC } = pod.spec ?? {};
  for (const { name } of securityContext?.sysctls ?? []) {
    const namespace = SAFE_SYSCTLS.get(name.replaceAll("/", "."));
    const trouble =
      namespace === undefined
        ? "not allowlisted"
        : namespace === "net" && hostNetwork === true
          ? "not allowed with host net enabled"
          : namespace === "ipc" && hostIPC === true
            ? "not allowed with host ipc enabled"
            : undefined;
    if (trouble !== undefined) return refused("SysctlForbidden", `forbidden sysctl: "${name}" ${trouble}`);
  }
  return undefined;
}

function refusedAppArmor(pod: PodObject, { isAppArmorEnabled }: NodeFeatures): EndCause | undefined {
  if (isAppArmorEnabled) return undefined;
  const { securityContext, initContainers = [], containers = [] } = pod.spec ?? {};
  const profiles = [securityContext, ...[...initContainers, ...containers].map((container) => container.securityContext)];
  const isAsked = profiles.some((context) => (context?.appArmorProfile?.type ?? "Unconfined") !== "Unconfined");
  return isAsked ? refused("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host") : undefined;
}

function refusedGroupsPolicy(pod: PodObject, { supplementalGroupsPolicy }: NodeFeatures): EndCause | undefined {
  if (pod.spec?.securityContext?.supplementalGroupsPolicy !== "Strict" || supplementalGroupsPolicy !== false) return undefined;
  return refused("SupplementalGroupsPolicyNotSupported", "SupplementalGroupsPolicy=Strict is not supported in this node");
}
