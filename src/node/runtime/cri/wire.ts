// Answers of the CRI as proto-loader decodes them (camelCase, enums by name, 64-bit numbers as numbers).
import type { ContainerState, ContainerStatus, ImageStatus, RuntimeStatus, SandboxStatus } from "../runtime.ts";

type StringMap = Readonly<Record<string, string>>;

export interface WireSandbox {
  readonly id: string;
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string; readonly attempt: number };
  readonly state: "SANDBOX_READY" | "SANDBOX_NOTREADY";
  readonly createdAt: number;
  readonly labels: StringMap;
}

export interface WireSandboxStatus extends WireSandbox {
  readonly network: { readonly ip: string; readonly additionalIps: readonly { readonly ip: string }[] } | null;
}

export interface WireContainer {
  readonly id: string;
  readonly podSandboxId: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly state: "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN";
  readonly labels: StringMap;
}

export interface WireContainerStatus {
  readonly id: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly state: WireContainer["state"];
  readonly createdAt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly image: { readonly image: string } | null;
  readonly imageRef: string;
  readonly reason: string;
  readonly message: string;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly logPath: string;
  readonly stopSignal: string;
}

export interface WireImage {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly size: number;
  readonly uid: { readonly value: number } | null;
  readonly username: string;
  readonly pinned: boolean;
}

export interface WireStatus {
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: boolean; readonly reason: string; readonly message: string }[];
  } | null;
  readonly runtimeHandlers: readonly {
    readonly name: string;
    readonly features: { readonly recursiveReadOnlyMounts: boolean; readonly userNamespaces: boolean } | null;
  }[];
  readonly features: { readonly supplementalGroupsPolicy: boolean } | null;
}

type Amount = { readonly value: number } | null;

export interface WireStats {
  readonly attributes: { readonly id: string; readonly metadata: { readonly name: string }; readonly labels: StringMap };
  readonly cpu: { readonly timestamp: number; readonly usageCoreNanoSeconds: { readonly value: number } | null } | null;
  readonly memory: {
    readonly timestamp: number;
    readonly workingSetBytes: Amount;
    readonly availableBytes: Amount;
    readonly usageBytes: Amount;
    readonly rssBytes: Amount;
  } | null;
  readonly writableLayer: { readonly usedBytes: Amount } | null;
}

const NANOSECONDS_PER_MS = 1e6;

export function msOf(nanoseconds: number): number {
  return Math.floor(nanoseconds / NANOSECONDS_PER_MS);
}

export function sandboxStatus(wire: WireSandboxStatus): SandboxStatus {
  const first = wire.network?.ip ?? "";
  const ips = first === "" ? [] : [first, ...(wire.network?.additionalIps ?? []).map(({ ip }) => ip)];
  return {
    id: wire.id,
    state: wire.state === "SANDBOX_READY" ? "READY" : "NOTREADY",
    createdAtMs: msOf(wire.createdAt),
    attempt: wire.metadata.attempt,
    ips,
    labels: wire.labels,
  };
}

export function containerState(state: WireContainer["state"]): ContainerState {
  return state.slice("CONTAINER_".length) as ContainerState;
}

export function containerStatus(wire: WireContainerStatus, sandboxId: string): ContainerStatus {
  return {
    id: wire.id,
    name: wire.metadata.name,
    sandboxId,
    attempt: wire.metadata.attempt,
    state: containerState(wire.state),
    createdAtMs: msOf(wire.createdAt),
    startedAtMs: msOf(wire.startedAt),
    finishedAtMs: msOf(wire.finishedAt),
    exitCode: wire.exitCode,
    reason: wire.reason,
    message: wire.message,
    image: wire.image?.image ?? "",
    imageRef: wire.imageRef,
    logPath: wire.logPath,
    labels: wire.labels,
    annotations: wire.annotations,
  };
}

export function runtimeStatus({ status, runtimeHandlers, features }: WireStatus): RuntimeStatus {
  const conditions = status?.conditions ?? [];
  const isMet = (type: string) => conditions.some((condition) => condition.type === type && condition.status);
  const unmet = conditions.filter((condition) => !condition.status);
  return {
    runtimeReady: isMet("RuntimeReady"),
    networkReady: isMet("NetworkReady"),
    message: unmet.map((c) => `${c.type}=false reason:${c.reason} message:${c.message}`).join(", "),
    handlers: runtimeHandlers.map((handler) => ({
      name: handler.name,
      recursiveReadOnlyMounts: handler.features?.recursiveReadOnlyMounts === true,
      userNamespaces: handler.features?.userNamespaces === true,
    })),
    supplementalGroupsPolicy: features?.supplementalGroupsPolicy === true,
  };
}

export function imageStatus(wire: WireImage): ImageStatus {
  return {
    id: wire.id,
    repoTags: wire.repoTags,
    repoDigests: wire.repoDigests,
    sizeBytes: wire.size,
    isPinned: wire.pinned,
    user: wire.uid === null ? (wire.username === "" ? {} : { name: wire.username }) : { uid: wire.uid.value },
  };
}
