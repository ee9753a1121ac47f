// What the node asks of a container runtime: CRI's meaning in our types. `cri/` speaks gRPC to containerd or CRI-O,
// `simulated/` plays containers in memory; both pass runtime.suite.ts.

export type SandboxState = "READY" | "NOTREADY";
export type ContainerState = "CREATED" | "RUNNING" | "EXITED" | "UNKNOWN";

/** kubelet's labels on sandboxes and containers; by them a restarted agent finds its own again. */
export const LABELS = {
  podName: "io.kubernetes.pod.name",
  podNamespace: "io.kubernetes.pod.namespace",
  podUid: "io.kubernetes.pod.uid",
  containerName: "io.kubernetes.container.name",
} as const;

export interface PortMapping {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIP?: string;
}

export type NamespaceMode = "POD" | "CONTAINER" | "NODE";

export interface SecurityProfile {
  readonly type: "RuntimeDefault" | "Unconfined" | "Localhost";
  readonly localhostRef?: string;
}

export interface SandboxConfig {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
  readonly hostname: string;
  readonly logDirectory: string;
  readonly dns?: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] };
  readonly portMappings: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cgroupParent: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly namespaces: { readonly network: NamespaceMode; readonly pid: NamespaceMode; readonly ipc: NamespaceMode };
  readonly security: {
    readonly runAsUser?: number;
    readonly runAsGroup?: number;
    readonly supplementalGroups: readonly number[];
    readonly privileged: boolean;
    readonly seccomp?: SecurityProfile;
  };
  readonly runtimeHandler: string;
}

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly propagation: "PRIVATE" | "HOST_TO_CONTAINER" | "BIDIRECTIONAL";
  /** Mounts below the mount are read-only too. */
  readonly recursiveReadOnly?: boolean;
}

/** Limits in the kernel's units; undefined leaves the kernel's default. */
export interface LinuxResources {
  readonly cpuShares?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly memoryLimitBytes?: number;
  readonly oomScoreAdj?: number;
  /** By the size of page in the kernel's form: `2MB`. */
  readonly hugePageLimits?: readonly { readonly pageSize: string; readonly limitBytes: number }[];
}

export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  /** An image id or reference that `imageStatus` knows. */
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Relative to the sandbox's log directory. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  /** Such as `SIGUSR1` or `SIGRTMIN+1`. Default: the image's. */
  readonly stopSignal?: string;
  readonly resources: LinuxResources;
  readonly security: {
    readonly runAsUser?: number;
    readonly runAsUserName?: string;
    readonly runAsGroup?: number;
    readonly supplementalGroups: readonly number[];
    readonly privileged: boolean;
    readonly readonlyRootFilesystem: boolean;
    readonly noNewPrivileges: boolean;
    readonly addCapabilities: readonly string[];
    readonly dropCapabilities: readonly string[];
    readonly seccomp?: SecurityProfile;
    readonly apparmor?: SecurityProfile;
    readonly maskedPaths?: readonly string[];
    readonly readonlyPaths?: readonly string[];
    readonly namespaces: {
      readonly network: NamespaceMode;
      readonly pid: NamespaceMode;
      readonly ipc: NamespaceMode;
      readonly targetContainerId?: string;
    };
  };
}

export interface SandboxStatus {
  readonly id: string;
  readonly state: SandboxState;
  readonly createdAtMs: number;
  readonly attempt: number;
  /** Empty for host network, and before the network is set up. */
  readonly ips: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerStatus {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  /** The runtime's word: `Completed`, `Error`, `OOMKilled`, … */
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageRef: string;
  readonly logPath: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A pod as the runtime has it: its sandboxes and containers, newest attempt first. */
export interface RuntimePod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ContainerStatus[];
}

export interface ImageStatus {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  readonly user: { readonly uid?: number; readonly name?: string };
  /** The runtime wants it to stay. */
  readonly isPinned?: boolean;
}

export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

export interface ContainerUsage {
  readonly containerId: string;
  readonly podUid: string;
  readonly containerName: string;
  readonly cpuUsageCoreNanoSeconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes?: number | undefined;
  readonly memoryRssBytes?: number | undefined;
  readonly memoryAvailableBytes?: number | undefined;
  /** What the container wrote beside its volumes. */
  readonly writableLayerBytes?: number;
  readonly timestampMs: number;
}

/** Something happened to a container or sandbox of this pod: look again. */
export interface RuntimeEvent {
  readonly podUid: string;
}

export class RuntimeError extends Error {
  readonly code: "NOT_FOUND" | "ALREADY_EXISTS" | "UNAVAILABLE" | "IMAGE_PULL" | "FAILED";

  constructor(code: RuntimeError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A way to run containers that pods choose by their RuntimeClass; "" is the default one. */
export interface RuntimeHandler {
  readonly name: string;
  readonly recursiveReadOnlyMounts: boolean;
  readonly userNamespaces: boolean;
}

export interface RuntimeStatus {
  readonly runtimeReady: boolean;
  readonly networkReady: boolean;
  /** The runtime's reasons when something is not ready. */
  readonly message: string;
  /** None when the runtime does not tell, as containerd before 2.0. */
  readonly handlers: readonly RuntimeHandler[];
  readonly supplementalGroupsPolicy: boolean;
}

/** Rejects with RuntimeError. Stopping and removing what is gone succeeds. */
export interface Runtime {
  version(signal?: AbortSignal): Promise<{ readonly name: string; readonly version: string; readonly apiVersion: string }>;
  status(signal?: AbortSignal): Promise<RuntimeStatus>;
  runSandbox(config: SandboxConfig, signal?: AbortSignal): Promise<string>;
  stopSandbox(id: string, signal?: AbortSignal): Promise<void>;
  removeSandbox(id: string, signal?: AbortSignal): Promise<void>;
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig, signal?: AbortSignal): Promise<string>;
  startContainer(id: string, signal?: AbortSignal): Promise<void>;
  /** Asks with `stopSignal`, by default the image's, and kills after the grace. */
  stopContainer(
    id: string,
    graceSeconds: number,
    options?: { readonly stopSignal?: string | undefined; readonly signal?: AbortSignal },
  ): Promise<void>;
  removeContainer(id: string, signal?: AbortSignal): Promise<void>;
  updateContainerResources(id: string, resources: LinuxResources, signal?: AbortSignal): Promise<void>;
  containerStatus(id: string, signal?: AbortSignal): Promise<ContainerStatus>;
  /** Everything on this node, or only the pod with this uid. */
  listPods(podUid?: string, signal?: AbortSignal): Promise<readonly RuntimePod[]>;
  /** Events until the signal aborts; an implementation without events of its own makes them by comparing lists. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  execSync(id: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult>;
  /** URLs of the runtime's streaming server, which speaks SPDY 3.1 and WebSocket. */
  execUrl(
    id: string,
    options: {
      readonly command: readonly string[];
      readonly tty: boolean;
      readonly stdin: boolean;
      readonly stdout: boolean;
      readonly stderr: boolean;
    },
  ): Promise<URL>;
  attachUrl(
    id: string,
    options: { readonly tty: boolean; readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean },
  ): Promise<URL>;
  portForwardUrl(sandboxId: string, ports: readonly number[]): Promise<URL>;
  /** After a log file was moved away: write to a new one. */
  reopenLog(id: string): Promise<void>;
  usage(signal?: AbortSignal): Promise<readonly ContainerUsage[]>;
  /** The directory of the file system that holds images. */
  imageDirectory(signal?: AbortSignal): Promise<string>;
  imageStatus(image: string, signal?: AbortSignal): Promise<ImageStatus | undefined>;
  listImages(signal?: AbortSignal): Promise<readonly ImageStatus[]>;
  /** Answers the image's reference by digest. */
  pullImage(image: string, auth: RegistryAuth | undefined, signal?: AbortSignal): Promise<string>;
  removeImage(image: string, signal?: AbortSignal): Promise<void>;
}
