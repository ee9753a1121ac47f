// Containers in memory, for hollow nodes and tests: no processes, no files, no timers when nothing will happen.
import type { Clock, Random } from "../../../base/index.ts";
import { EventFan } from "../event-fan.ts";
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
  type SandboxConfig,
  type SandboxState,
  type SandboxStatus,
} from "../runtime.ts";
import { AddressPool } from "./address-pool.ts";
import { annotatedBehaviour, type Behaviours } from "./behaviour.ts";
import { SimulatedContainer } from "./simulated-container.ts";
import { SimulatedImages } from "./simulated-images.ts";
import { totalUntil, valueAt } from "./usage-curve.ts";

export interface SimulatedRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Default: containers start at once, are ready, and run until they are stopped. */
  readonly behaviours?: Behaviours;
  /** Asked at the first sandbox; an IPv4 network. Default `10.244.0.0/16`. */
  readonly podCidr?: () => string;
  /** How long each pull takes. Default 0. */
  readonly pullDelayMs?: number;
}

interface SimulatedSandbox {
  readonly id: string;
  readonly config: SandboxConfig;
  readonly createdAtMs: number;
  readonly ips: readonly string[];
  state: SandboxState;
}

interface SimulatedPod {
  readonly sandboxes: Map<string, SimulatedSandbox>;
  readonly containers: Map<string, SimulatedContainer>;
}

const ENCODER = new TextEncoder();

export class SimulatedRuntime implements Runtime {
  readonly #options: SimulatedRuntimeOptions;
  readonly #images: SimulatedImages;
  readonly #fan = new EventFan();
  #pool: AddressPool | undefined;
  /** By pod uid; a pod stays as long as it has a sandbox or a container. */
  readonly #pods = new Map<string, SimulatedPod>();
  readonly #sandboxes = new Map<string, SimulatedSandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options;
    this.#images = new SimulatedImages(options.clock, options.pullDelayMs ?? 0);
  }

  version(): ReturnType<Runtime["version"]> {
    return Promise.resolve({ name: "simulated", version: "0.1.0", apiVersion: "v1" });
  }

  status(): ReturnType<Runtime["status"]> {
    return Promise.resolve({ runtimeReady: true, networkReady: true, message: "", handlers: [], supplementalGroupsPolicy: false });
  }

  async runSandbox(config: SandboxConfig): Promise<string> {
    const pod = this.#pods.get(config.uid) ?? { sandboxes: new Map(), containers: new Map() };
    for (const { config: other } of pod.sandboxes.values()) {
      if (other.attempt === config.attempt)
        throw new RuntimeError("ALREADY_EXISTS", `sandbox ${config.name} attempt ${config.attempt} exists`);
    }
    const id = this.#newId();
    const ips = config.namespaces.network === "NODE" ? [] : [this.#takeAddress()];
    const sandbox: SimulatedSandbox = { id, config, createdAtMs: this.#options.clock.now(), ips, state: "READY" };
    pod.sandboxes.set(id, sandbox);
    this.#sandboxes.set(id, sandbox);
    this.#pods.set(config.uid, pod);
    this.#fan.emit(config.uid);
    return id;
  }

  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined || sandbox.state === "NOTREADY") return;
    for (const container of this.#pods.get(sandbox.config.uid)?.containers.values() ?? []) {
      if (container.options.sandboxId === id) container.kill();
    }
    sandbox.state = "NOTREADY";
    for (const ip of sandbox.ips) this.#pool?.release(ip);
    this.#fan.emit(sandbox.config.uid);
  }

  async removeSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    await this.stopSandbox(id);
    const pod = this.#pods.get(sandbox.config.uid);
    for (const container of pod?.containers.values() ?? []) {
      if (container.options.sandboxId === id) await this.removeContainer(container.options.id);
    }
    pod?.sandboxes.delete(id);
    this.#sandboxes.delete(id);
    this.#forgetEmpty(sandbox.config.uid);
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig): Promise<string> {
    const sandbox = this.#sandboxes.get(sandboxId);
    const pod = sandbox === undefined ? undefined : this.#pods.get(sandbox.config.uid);
    if (sandbox === undefined || pod === undefined) throw notFound("sandbox", sandboxId);
    const image = this.#images.find(config.image);
    if (image === undefined) throw notFound("image", config.image);
    const { behaviours, clock } = this.#options;
    const podUid = sandbox.config.uid;
    const container = new SimulatedContainer({
      id: this.#newId(),
      sandboxId,
      podUid,
      config,
      imageRef: image.repoDigests[0] ?? image.id,
      logDirectory: sandboxConfig.logDirectory,
      behaviour: annotatedBehaviour(behaviours?.(config, sandboxConfig) ?? {}, config.name, sandboxConfig.annotations, config.annotations),
      clock,
      onChange: () => this.#fan.emit(podUid),
    });
    pod.containers.set(container.options.id, container);
    this.#containers.set(container.options.id, container);
    return container.options.id;
  }

  async startContainer(id: string, signal?: AbortSignal): Promise<void> {
    const container = this.#container(id);
    if (container.state !== "CREATED") throw new RuntimeError("FAILED", `container "${id}" is in ${container.state} state`);
    const delayMs = container.options.behaviour.startDelayMs ?? 0;
    if (delayMs > 0) await this.#options.clock.sleep(delayMs, signal);
    if (!this.#containers.has(id)) throw notFound("container", id);
    container.start();
  }

  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    await this.#containers.get(id)?.stop(graceSeconds);
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return;
    container.kill();
    const { podUid } = container.options;
    this.#containers.delete(id);
    this.#pods.get(podUid)?.containers.delete(id);
    this.#forgetEmpty(podUid);
  }

  async updateContainerResources(id: string, _resources: LinuxResources): Promise<void> {
    this.#container(id);
  }

  async containerStatus(id: string): Promise<ContainerStatus> {
    return this.#container(id).status();
  }

  async listPods(podUid?: string): Promise<readonly RuntimePod[]> {
    if (podUid === undefined) return [...this.#pods].map(([uid, pod]) => runtimePod(uid, pod));
    const pod = this.#pods.get(podUid);
    return pod === undefined ? [] : [runtimePod(podUid, pod)];
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#fan.listen(signal);
  }

  /** Nothing runs, so every command succeeds in a container that is ready and fails in one that is not. */
  async execSync(id: string, command: readonly string[]): Promise<ExecResult> {
    const container = this.#container(id);
    if (container.state !== "RUNNING") throw new RuntimeError("FAILED", `container "${id}" is in ${container.state} state`);
    const text = container.isReady ? "" : `${command.join(" ")}: simulated container is not ready\n`;
    return { stdout: new Uint8Array(), stderr: ENCODER.encode(text), exitCode: container.isReady ? 0 : 1 };
  }

  execUrl(): Promise<URL> {
    return Promise.reject(noStreams());
  }

  attachUrl(): Promise<URL> {
    return Promise.reject(noStreams());
  }

  portForwardUrl(): Promise<URL> {
    return Promise.reject(noStreams());
  }

  async reopenLog(id: string): Promise<void> {
    this.#container(id);
  }

  async usage(): Promise<readonly ContainerUsage[]> {
    const timestampMs = this.#options.clock.now();
    const running = [...this.#containers.values()].filter(({ state }) => state === "RUNNING");
    return running.map(({ options: { id, podUid, config, behaviour }, ranForMs }) => ({
      containerId: id,
      podUid,
      containerName: config.name,
      cpuUsageCoreNanoSeconds: Math.round(totalUntil(behaviour.cpuCores ?? 0, ranForMs) * 1e6),
      memoryWorkingSetBytes: valueAt(behaviour.memoryBytes ?? 0, ranForMs),
      timestampMs,
    }));
  }

  async imageDirectory(): Promise<string> {
    return "/";
  }

  async imageStatus(image: string): Promise<ImageStatus | undefined> {
    return this.#images.find(image);
  }

  async listImages(): Promise<readonly ImageStatus[]> {
    return this.#images.list();
  }

  pullImage(image: string, _auth: RegistryAuth | undefined, signal?: AbortSignal): Promise<string> {
    return this.#images.pull(image, signal);
  }

  async removeImage(image: string): Promise<void> {
    this.#images.remove(image);
  }

  /** Whether the container runs and its behaviour says that it is ready. */
  isReady(id: string): boolean {
    return this.#containers.get(id)?.isReady === true;
  }

  #container(id: string): SimulatedContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw notFound("container", id);
    return container;
  }

  #forgetEmpty(podUid: string): void {
    const pod = this.#pods.get(podUid);
    if (pod?.sandboxes.size === 0 && pod.containers.size === 0) this.#pods.delete(podUid);
    this.#fan.emit(podUid);
  }

  #takeAddress(): string {
    this.#pool ??= new AddressPool(this.#options.podCidr?.() ?? "10.244.0.0/16");
    const address = this.#pool.take();
    if (address === undefined) throw new RuntimeError("FAILED", "no addresses left in the pod network");
    return address;
  }

  #newId(): string {
    return Buffer.from(this.#options.random.bytes(32)).toString("hex");
  }
}

function runtimePod(uid: string, pod: SimulatedPod): RuntimePod {
  const sandboxes = [...pod.sandboxes.values()].map(sandboxStatus).sort((a, b) => b.attempt - a.attempt);
  const containers = [...pod.containers.values()].map((container) => container.status());
  containers.sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs);
  const labels = sandboxes[0]?.labels ?? containers[0]?.labels ?? {};
  return { uid, name: labels[LABELS.podName] ?? "", namespace: labels[LABELS.podNamespace] ?? "", sandboxes, containers };
}

function sandboxStatus({ id, state, createdAtMs, ips, config }: SimulatedSandbox): SandboxStatus {
  return { id, state, createdAtMs, attempt: config.attempt, ips: state === "READY" ? ips : [], labels: config.labels };
}

function notFound(what: string, id: string): RuntimeError {
  return new RuntimeError("NOT_FOUND", `${what} "${id}" not found`);
}

function noStreams(): RuntimeError {
  return new RuntimeError("FAILED", "simulated containers have no streams");
}
