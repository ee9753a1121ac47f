// Our configurations as CRI messages.
import type { ContainerConfig, LinuxResources, NamespaceMode, SandboxConfig, SecurityProfile } from "../runtime.ts";
import { signalMessage } from "./stop-signal.ts";

interface Namespaces {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  readonly targetContainerId?: string;
}

function namespaceOptions(namespaces: Namespaces): object {
  const { targetContainerId, ...modes } = namespaces;
  return targetContainerId === undefined ? modes : { ...modes, pid: "TARGET", targetId: targetContainerId };
}

function int64(value: number | undefined): object | undefined {
  return value === undefined ? undefined : { value };
}

/** None given means unconfined, as kubelet does without `seccompDefault`. */
function seccomp(profile: SecurityProfile | undefined): object {
  return profile === undefined ? { profileType: "Unconfined" } : { profileType: profile.type, localhostRef: profile.localhostRef ?? "" };
}

export function sandboxMessage(config: SandboxConfig): object {
  const { security } = config;
  return {
    metadata: { name: config.name, uid: config.uid, namespace: config.namespace, attempt: config.attempt },
    hostname: config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: config.dns,
    portMappings: config.portMappings.map(({ hostIP, ...mapping }) => ({ ...mapping, hostIp: hostIP ?? "" })),
    labels: config.labels,
    annotations: config.annotations,
    linux: {
      cgroupParent: config.cgroupParent,
      sysctls: config.sysctls,
      securityContext: {
        namespaceOptions: namespaceOptions(config.namespaces),
        runAsUser: int64(security.runAsUser),
        runAsGroup: int64(security.runAsGroup),
        supplementalGroups: security.supplementalGroups,
        privileged: security.privileged,
        seccomp: security.seccomp === undefined ? { profileType: "RuntimeDefault" } : seccomp(security.seccomp),
      },
    },
  };
}

export function resourcesMessage(resources: LinuxResources): object {
  return {
    cpuPeriod: resources.cpuPeriodUs ?? 0,
    cpuQuota: resources.cpuQuotaUs ?? 0,
    cpuShares: resources.cpuShares ?? 0,
    memoryLimitInBytes: resources.memoryLimitBytes ?? 0,
    oomScoreAdj: resources.oomScoreAdj ?? 0,
    hugepageLimits: (resources.hugePageLimits ?? []).map(({ pageSize, limitBytes: limit }) => ({ pageSize, limit })),
  };
}

/** What containers do not see of /proc and /sys unless their procMount is Unmasked. */
const DEFAULT_MASKED_PATHS = [
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
const DEFAULT_READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

function securityMessage(security: ContainerConfig["security"]): object {
  return {
    capabilities: { addCapabilities: security.addCapabilities, dropCapabilities: security.dropCapabilities },
    privileged: security.privileged,
    namespaceOptions: namespaceOptions(security.namespaces),
    runAsUser: int64(security.runAsUser),
    runAsUsername: security.runAsUserName ?? "",
    runAsGroup: int64(security.runAsGroup),
    readonlyRootfs: security.readonlyRootFilesystem,
    supplementalGroups: security.supplementalGroups,
    noNewPrivs: security.noNewPrivileges,
    maskedPaths: security.maskedPaths ?? (security.privileged ? [] : DEFAULT_MASKED_PATHS),
    readonlyPaths: security.readonlyPaths ?? (security.privileged ? [] : DEFAULT_READONLY_PATHS),
    seccomp: seccomp(security.seccomp),
    apparmor: security.apparmor === undefined ? undefined : seccomp(security.apparmor),
  };
}

export function containerMessage(config: ContainerConfig): object {
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.image },
    command: config.command,
    args: config.args,
    workingDir: config.workingDir,
    envs: config.env.map(({ name, value }) => ({ key: name, value: Buffer.from(value) })),
    mounts: config.mounts.map(({ propagation, recursiveReadOnly = false, ...mount }) => ({
      ...mount,
      recursiveReadOnly,
      propagation: `PROPAGATION_${propagation}`,
    })),
    labels: config.labels,
    annotations: config.annotations,
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    ...(config.stopSignal === undefined ? {} : { stopSignal: signalMessage(config.stopSignal) }),
    linux: { resources: resourcesMessage(config.resources), securityContext: securityMessage(config.security) },
  };
}
