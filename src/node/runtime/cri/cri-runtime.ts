// The runtime over CRI's gRPC: containerd or CRI-O.
import type { Clock, Logger } from "../../../base/index.ts";
import {
  type ContainerConfig,
  type ContainerStatus,
  type ContainerUsage,
  type ExecResult,
  type ImageStatus,
  LABELS,
  type LinuxResources,
  type RegistryAuth,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type RuntimePod,
  type RuntimeStatus,
  type SandboxConfig,
} from "../runtime.ts";
import { CriEvents } from "./cri-events.ts";
import { PodLister } from "./pod-lister.ts";
import { containerMessage, resourcesMessage, sandboxMessage } from "./requests.ts";
import { type CallLimits, loadProtocol, type Method, Rpc } from "./rpc.ts";
import { SignalStopper } from "./stop-signal.ts";
import { imageStatus, msOf, runtimeStatus, type WireImage, type WireStats, type WireStatus } from "./wire.ts";

export interface CriRuntimeOptions {
  /** A unix socket: `/run/containerd/containerd.sock`. */
  readonly socketPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** kubelet's runtimeRequestTimeout; making a sandbox gets twice that. */
const REQUEST_TIMEOUT_MS = 120_000;
const SANDBOX_TIMEOUT_MS = 240_000;

/** Read when it is first needed: simulated nodes never need it. */
let protocol: ReadonlyMap<string, Method> | undefined;

function methodOf(name: string): Method {
  protocol ??= loadProtocol("./runtime.proto");
  const method = protocol.get(`runtime.v1.${name}`);
  if (method === undefined) throw new RuntimeError("FAILED", `no method ${name} in runtime.proto`);
  return method;
}

export class CriRuntime implements Runtime {
  readonly #rpc: Rpc;
  readonly #lister: PodLister;
  readonly #events: CriEvents;
  readonly #stopper: SignalStopper;

  constructor({ socketPath, clock, logger }: CriRuntimeOptions) {
    this.#rpc = new Rpc(socketPath, clock);
    const call = <R>(method: string, request: object, signal?: AbortSignal) => this.#call<R>(method, request, signal);
    this.#lister = new PodLister(call);
    this.#stopper = new SignalStopper(call, clock);
    const criMethod = methodOf("RuntimeService/GetContainerEvents");
    this.#events = new CriEvents({ rpc: this.#rpc, call, lister: this.#lister, clock, logger, criMethod });
  }

  async version(signal?: AbortSignal): Promise<{ readonly name: string; readonly version: string; readonly apiVersion: string }> {
    const answer = await this.#call<{ runtimeName: string; runtimeVersion: string; runtimeApiVersion: string }>("Version", {}, signal);
    return { name: answer.runtimeName, version: answer.runtimeVersion, apiVersion: answer.runtimeApiVersion };
  }

  async status(signal?: AbortSignal): Promise<RuntimeStatus> {
    return runtimeStatus(await this.#call<WireStatus>("Status", {}, signal));
  }

  async runSandbox(config: SandboxConfig, signal?: AbortSignal): Promise<string> {
    const request = { config: sandboxMessage(config), runtimeHandler: config.runtimeHandler };
    const limits = { timeoutMs: SANDBOX_TIMEOUT_MS, signal };
    return (await this.#callWith<{ podSandboxId: string }>("RuntimeService/RunPodSandbox", request, limits)).podSandboxId;
  }

  async stopSandbox(id: string, signal?: AbortSignal): Promise<void> {
    await unlessGone(this.#call("StopPodSandbox", { podSandboxId: id }, signal));
  }

  async removeSandbox(id: string, signal?: AbortSignal): Promise<void> {
    await unlessGone(this.#call("RemovePodSandbox", { podSandboxId: id }, signal));
    this.#lister.forget(id);
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig, signal?: AbortSignal): Promise<string> {
    const request = { podSandboxId: sandboxId, config: containerMessage(config), sandboxConfig: sandboxMessage(sandbox) };
    return (await this.#call<{ containerId: string }>("CreateContainer", request, signal)).containerId;
  }

  async startContainer(id: string, signal?: AbortSignal): Promise<void> {
    await this.#call("StartContainer", { containerId: id }, signal);
  }

  async stopContainer(
    id: string,
    graceSeconds: number,
    { signal, stopSignal }: Parameters<Runtime["stopContainer"]>[2] = {},
  ): Promise<void> {
    const stop = async () => {
      const hadItsGrace = stopSignal !== undefined && (await this.#stopper.ask(id, { stopSignal, graceSeconds, signal }));
      const timeout = hadItsGrace ? 0 : graceSeconds;
      const limits = { timeoutMs: timeout * 1_000 + REQUEST_TIMEOUT_MS, signal };
      await this.#callWith("RuntimeService/StopContainer", { containerId: id, timeout }, limits);
    };
    await unlessGone(stop());
  }

  async removeContainer(id: string, signal?: AbortSignal): Promise<void> {
    await unlessGone(this.#call("RemoveContainer", { containerId: id }, signal));
    this.#lister.forget(id);
  }

  async updateContainerResources(id: string, resources: LinuxResources, signal?: AbortSignal): Promise<void> {
    await this.#call("UpdateContainerResources", { containerId: id, linux: resourcesMessage(resources) }, signal);
  }

  containerStatus(id: string, signal?: AbortSignal): Promise<ContainerStatus> {
    return this.#lister.container(id, signal);
  }

  listPods(podUid?: string, signal?: AbortSignal): Promise<readonly RuntimePod[]> {
    return this.#lister.list(podUid, signal);
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#events.events(signal);
  }

  async execSync(id: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult> {
    const request = { containerId: id, cmd: command, timeout: timeoutSeconds };
    const limits = { timeoutMs: timeoutSeconds === 0 ? 0 : timeoutSeconds * 1_000 + REQUEST_TIMEOUT_MS, signal };
    return await this.#callWith<ExecResult>("RuntimeService/ExecSync", request, limits);
  }

  async execUrl(id: string, { command, ...streams }: Parameters<Runtime["execUrl"]>[1]): Promise<URL> {
    return new URL((await this.#call<{ url: string }>("Exec", { containerId: id, cmd: command, ...streams })).url);
  }

  async attachUrl(id: string, streams: Parameters<Runtime["attachUrl"]>[1]): Promise<URL> {
    return new URL((await this.#call<{ url: string }>("Attach", { containerId: id, ...streams })).url);
  }

  async portForwardUrl(sandboxId: string, ports: readonly number[]): Promise<URL> {
    return new URL((await this.#call<{ url: string }>("PortForward", { podSandboxId: sandboxId, port: ports })).url);
  }

  async reopenLog(id: string): Promise<void> {
    await this.#call("ReopenContainerLog", { containerId: id });
  }

  async usage(signal?: AbortSignal): Promise<readonly ContainerUsage[]> {
    const { stats } = await this.#call<{ stats: WireStats[] }>("ListContainerStats", {}, signal);
    return stats.map(({ attributes, cpu, memory, writableLayer }) => ({
      containerId: attributes.id,
      podUid: attributes.labels[LABELS.podUid] ?? "",
      containerName: attributes.metadata.name,
      cpuUsageCoreNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
      memoryWorkingSetBytes: memory?.workingSetBytes?.value ?? 0,
      memoryUsageBytes: memory?.usageBytes?.value,
      memoryRssBytes: memory?.rssBytes?.value,
      memoryAvailableBytes: memory?.availableBytes?.value,
      writableLayerBytes: writableLayer?.usedBytes?.value ?? 0,
      timestampMs: msOf(cpu?.timestamp ?? memory?.timestamp ?? 0),
    }));
  }

  async imageDirectory(signal?: AbortSignal): Promise<string> {
    interface Info {
      readonly imageFilesystems: readonly { readonly fsId: { readonly mountpoint: string } | null }[];
    }
    const info = await this.#callWith<Info>("ImageService/ImageFsInfo", {}, { timeoutMs: REQUEST_TIMEOUT_MS, signal });
    return info.imageFilesystems[0]?.fsId?.mountpoint ?? "/";
  }

  async imageStatus(image: string, signal?: AbortSignal): Promise<ImageStatus | undefined> {
    const limits = { timeoutMs: REQUEST_TIMEOUT_MS, signal };
    const answer = await this.#callWith<{ image: WireImage | null }>("ImageService/ImageStatus", { image: { image } }, limits);
    return answer.image === null ? undefined : imageStatus(answer.image);
  }

  async listImages(signal?: AbortSignal): Promise<readonly ImageStatus[]> {
    const limits = { timeoutMs: REQUEST_TIMEOUT_MS, signal };
    return (await this.#callWith<{ images: WireImage[] }>("ImageService/ListImages", {}, limits)).images.map(imageStatus);
  }

  async pullImage(image: string, auth: RegistryAuth | undefined, signal?: AbortSignal): Promise<string> {
    const request = { image: { image }, ...(auth === undefined ? {} : { auth }) };
    try {
      // A pull takes as long as it takes; only the signal ends it.
      return (await this.#callWith<{ imageRef: string }>("ImageService/PullImage", request, { timeoutMs: 0, signal })).imageRef;
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code === "UNAVAILABLE") throw error;
      throw new RuntimeError("IMAGE_PULL", error.message, { cause: error });
    }
  }

  async removeImage(image: string, signal?: AbortSignal): Promise<void> {
    const limits = { timeoutMs: REQUEST_TIMEOUT_MS, signal };
    await unlessGone(this.#callWith("ImageService/RemoveImage", { image: { image } }, limits));
  }

  /** Closes the connection; calls under way fail. */
  close(): void {
    this.#rpc.close();
  }

  #call<Response>(method: string, request: object, signal?: AbortSignal): Promise<Response> {
    return this.#callWith(`RuntimeService/${method}`, request, { timeoutMs: REQUEST_TIMEOUT_MS, signal });
  }

  #callWith<Response>(method: string, request: object, limits: CallLimits): Promise<Response> {
    return this.#rpc.unary<Response>(methodOf(method), request, limits);
  }
}

/** Stopping and removing what is gone succeeds. */
async function unlessGone(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === "NOT_FOUND")) throw error;
  }
}
