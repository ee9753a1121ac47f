// Security settings for the runtime: the container's own over the pod's.
import type { AppArmorProfile, Capabilities, SeccompProfile, SecurityContext } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { ContainerConfigError } from "../env/container-env.ts";
import type { NodeContext } from "../node-context.ts";
import { type ContainerSpec, formatPod, type PodObject } from "../pod/pod-object.ts";
import type { ContainerConfig, ImageStatus, NamespaceMode, SandboxConfig, SecurityProfile } from "../runtime/runtime.ts";

/** What containers must not see unless `procMount: Unmasked`. */
const MASKED_PATHS = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

type Namespaces = SandboxConfig["namespaces"];

/** The namespaces that the pod's containers share. */
export function podNamespaces(pod: PodObject): Namespaces {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec ?? {};
  const mode = (isHost: boolean | undefined): NamespaceMode => (isHost === true ? "NODE" : "POD");
  return {
    network: mode(hostNetwork),
    ipc: mode(hostIPC),
    pid: hostPID === true ? "NODE" : shareProcessNamespace === true ? "POD" : "CONTAINER",
  };
}

/** A profile of type Localhost is a file below `seccomp` in the agent's root directory. */
export function seccomp(
  { rootDir }: Pick<NodeContext, "rootDir">,
  profile: DeepReadonly<SeccompProfile> | undefined,
): { seccomp?: SecurityProfile } {
  if (profile === undefined) return {};
  const { type, localhostProfile } = profile;
  if (type !== "RuntimeDefault" && type !== "Unconfined" && type !== "Localhost") return {};
  return { seccomp: localhostProfile === undefined ? { type } : { type, localhostRef: `${rootDir}/seccomp/${localhostProfile}` } };
}

function apparmor(profile: DeepReadonly<AppArmorProfile> | undefined): { apparmor?: SecurityProfile } {
  if (profile === undefined) return {};
  const { type, localhostProfile } = profile;
  if (type !== "RuntimeDefault" && type !== "Unconfined" && type !== "Localhost") return {};
  return { apparmor: localhostProfile === undefined ? { type } : { type, localhostRef: localhostProfile } };
}

function capabilities(own: DeepReadonly<Capabilities> | undefined) {
  return { addCapabilities: own?.add ?? [], dropCapabilities: own?.drop ?? [] };
}

function user(own: DeepReadonly<SecurityContext>, pod: PodObject, image: ImageStatus) {
  const { uid, name = "" } = image.user;
  // An image that names nobody runs as root.
  const runAsUser = own.runAsUser ?? pod.spec?.securityContext?.runAsUser ?? uid ?? (name === "" ? 0 : undefined);
  const runAsGroup = own.runAsGroup ?? pod.spec?.securityContext?.runAsGroup;
  return {
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsUser === undefined ? { runAsUserName: name } : {}),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
  };
}

/** The groups beside the primary one, the volumes' group among them. */
export function supplementalGroups(pod: PodObject): readonly number[] {
  const { fsGroup, supplementalGroups: groups = [] } = pod.spec?.securityContext ?? {};
  return fsGroup === undefined || groups.includes(fsGroup) ? groups : [...groups, fsGroup];
}

/** The security part of a container's configuration; throws ContainerConfigError when runAsNonRoot cannot be kept. */
export function containerSecurity(
  context: Pick<NodeContext, "rootDir">,
  pod: PodObject,
  container: ContainerSpec,
  facts: { readonly image: ImageStatus; readonly targetContainerId?: string | undefined },
): ContainerConfig["security"] {
  const own = container.securityContext ?? {};
  verifyNonRoot(pod, container, facts.image);
  const isPrivileged = own.privileged === true;
  const isUnmasked = own.procMount === "Unmasked" || isPrivileged;
  const { targetContainerId } = facts;
  return {
    ...user(own, pod, facts.image),
    supplementalGroups: supplementalGroups(pod),
    privileged: isPrivileged,
    readonlyRootFilesystem: own.readOnlyRootFilesystem === true,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    ...capabilities(own.capabilities),
    ...(isPrivileged ? {} : seccomp(context, own.seccompProfile ?? pod.spec?.securityContext?.seccompProfile)),
    ...apparmor(own.appArmorProfile ?? pod.spec?.securityContext?.appArmorProfile),
    ...(isUnmasked ? {} : { maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS }),
    namespaces: { ...podNamespaces(pod), ...(targetContainerId === undefined ? {} : { targetContainerId }) },
  };
}

function verifyNonRoot(pod: PodObject, container: ContainerSpec, image: ImageStatus): void {
  const own = container.securityContext ?? {};
  const shared = pod.spec?.securityContext ?? {};
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) !== true) return;
  const asked = own.runAsUser ?? shared.runAsUser;
  const where = `(pod: "${formatPod(pod)}", container: ${container.name})`;
  if (asked !== undefined) {
    if (asked === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  const { uid, name = "" } = image.user;
  if (uid === undefined && name !== "") {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root ${where}`,
    );
  }
  if ((uid ?? 0) === 0) throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}
