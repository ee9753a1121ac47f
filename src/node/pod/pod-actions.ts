// Carries out the actions of a pod's plan; what they learn is kept in the pod's memory.
import { resources } from "../../api/index.ts";
import { etcHosts } from "../containers/etc-hosts.ts";
import { linuxResources } from "../containers/linux-resources.ts";
import { podLogDirectory, sandboxConfig } from "../containers/sandbox-config.ts";
import { isBelow } from "../files.ts";
import { runHook } from "../hooks/lifecycle-hook.ts";
import { type NodeContext, podDir } from "../node-context.ts";
import { VolumeError } from "../volumes/volume-manager.ts";
import { actualResources, coveringPod, type Resources } from "./allocation.ts";
import { pullImage, StartError, startContainer } from "./container-starter.ts";
import { isGone } from "./is-gone.ts";
import { containerReference, podReference } from "./pod-events.ts";
import type { PodMemory } from "./pod-memory.ts";
import { type ContainerSpec, findContainer, podUid } from "./pod-object.ts";
import { currentSandbox, latestContainer } from "./pod-view.ts";
import { nextBackoff } from "./restart-backoff.ts";
import type { Action } from "./step.ts";

/** Where the agent keeps `resized` of a pod for an agent that comes after it. */
export function resizedFile(context: Pick<NodeContext, "rootDir">, uid: string): string {
  return `${podDir(context, uid)}/resources.json`;
}

type ActionOf<K extends Action["kind"]> = Extract<Action, { kind: K }>;

/**
 * How long a call of the runtime that begins something may go on when its pod is to end. containerd leaves tasks behind that nobody
 * can remove when such a call is broken off.
 */
const START_PATIENCE_MS = 30_000;
/** A preStop hook that used up the grace leaves the container this long. */
const MINIMUM_GRACE_SECONDS = 2;

export class PodActions {
  readonly #context: NodeContext;
  readonly #memory: PodMemory;
  readonly #allocatable: () => Readonly<Record<string, string>>;
  /** Starts are given up when the pod is to end. */
  readonly #starts = new AbortController();
  /** And broken off when the runtime does not come to an end with what it had begun. */
  readonly #impatience = new AbortController();

  constructor(context: NodeContext, memory: PodMemory, allocatable: () => Readonly<Record<string, string>>) {
    this.#context = context;
    this.#memory = memory;
    this.#allocatable = allocatable;
  }

  abortStarts(): void {
    if (this.#starts.signal.aborted) return;
    const reason = new Error("the pod is ending");
    this.#starts.abort(reason);
    this.#context.clock.setTimeout(() => this.#impatience.abort(reason), START_PATIENCE_MS);
  }

  /** Rejects when the action must be tried again later. */
  async perform(action: Action): Promise<void> {
    const { runtime } = this.#context;
    switch (action.kind) {
      case "mountVolumes":
        return this.#mountVolumes();
      case "runSandbox":
        return this.#runSandbox(action);
      case "stopSandbox":
        await runtime.stopSandbox(action.id);
        this.#memory.stopped.add(action.id);
        return;
      case "startContainer":
        return this.#startContainer(action);
      case "killContainer":
        return this.#killContainer(action);
      case "resizeContainer":
        return this.#resizeContainer(action);
      case "resizePod":
        await this.#limitGroup();
        return;
      case "removeContainer":
        await runtime.removeContainer(action.id);
        return this.#removeLog(action.logPath);
      case "removeSandbox":
        return runtime.removeSandbox(action.id);
      case "tearDown":
        return this.#tearDown();
      case "deleteObject":
        return this.#deleteObject();
      case "forget":
        return this.#forget();
    }
  }

  /** Only below the logs' directory: the path is the runtime's word. */
  async #removeLog(path: string): Promise<void> {
    if (isBelow(this.#context.logDir, path)) await this.#context.files.remove(path);
  }

  async #mountVolumes(): Promise<void> {
    const { context, pod } = { context: this.#context, pod: this.#memory.pod };
    try {
      await context.files.makeDirectory(podDir(context, podUid(pod)));
      await this.#pullImageVolumes();
      this.#memory.volumePaths = await context.volumes.mountPod(pod, this.#starts.signal);
      context.content?.follow(pod);
    } catch (error) {
      if (this.#starts.signal.aborted) return;
      const text = error instanceof Error ? error.message : String(error);
      const message = error instanceof VolumeError ? `MountVolume.SetUp failed for volume "${error.volumeName}" : ${text}` : text;
      context.events.event(podReference(pod), "Warning", "FailedMount", message);
      throw error;
    }
  }

  async #pullImageVolumes(): Promise<void> {
    const { context, pod } = { context: this.#context, pod: this.#memory.pod };
    for (const { name, image } of pod.spec?.volumes ?? []) {
      if (image?.reference === undefined) continue;
      const about = { ...podReference(pod), fieldPath: `spec.volumes{${name}}` };
      const report = (type: "Normal" | "Warning", reason: string, message: string) => context.events.event(about, type, reason, message);
      await pullImage(context, { pod, image: image.reference, policy: image.pullPolicy, signal: this.#starts.signal, report });
    }
  }

  async #runSandbox({ attempt, isReplacement }: ActionOf<"runSandbox">): Promise<void> {
    const context = this.#context;
    const { pod } = this.#memory;
    if (isReplacement) {
      context.events.event(podReference(pod), "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    }
    try {
      const cgroupParent = await this.#limitGroup();
      const config = await sandboxConfig(context, pod, { attempt, cgroupParent });
      await context.files.makeDirectory(config.logDirectory);
      this.#starts.signal.throwIfAborted();
      await context.runtime.runSandbox(config, this.#impatience.signal);
    } catch (error) {
      if (this.#starts.signal.aborted) return;
      const text = error instanceof Error ? error.message : String(error);
      context.events.event(podReference(pod), "Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${text}`);
      throw error;
    }
  }

  /** Gives the pod's group what the pod was granted; answers the group. */
  async #limitGroup(): Promise<string> {
    const { pod } = this.#memory;
    this.#memory.cgroupParent = await this.#context.cgroups.ensurePod(pod);
    this.#memory.groupResources = pod.spec?.resources;
    return this.#memory.cgroupParent;
  }

  async #startContainer({ name, attempt, endedAtMs }: ActionOf<"startContainer">): Promise<void> {
    const context = this.#context;
    const memory = this.#memory;
    const { signal } = this.#starts;
    const container = findContainer(memory.pod, name)?.spec;
    const sandbox = currentSandbox(memory.runtime);
    if (container === undefined || sandbox === undefined) return;
    const nowMs = context.clock.now();
    if (endedAtMs !== undefined) memory.backoffs.set(name, nextBackoff(memory.backoffs.get(name), endedAtMs, nowMs));
    try {
      const podIps = memory.pod.spec?.hostNetwork === true ? context.nodeIps : sandbox.ips;
      await context.servicesSynced(signal);
      await this.#writeHosts(podIps);
      const target = "targetContainerName" in container ? latestContainer(memory.runtime, container.targetContainerName ?? "") : undefined;
      const { pod, volumePaths = new Map<string, string>() } = memory;
      const cgroupParent = memory.cgroupParent === "" ? await this.#limitGroup() : memory.cgroupParent;
      const allocatable = this.#allocatable();
      const signals = { signal, impatience: this.#impatience.signal };
      const input = { pod, container, attempt, sandbox, podIps, cgroupParent, volumePaths, allocatable, ...signals };
      await startContainer(context, { ...input, targetContainerId: target?.id });
      memory.failures.delete(name);
    } catch (error) {
      if (signal.aborted) return;
      const failedAtMs = context.clock.now();
      const { reason, message, retryAfterMs } = error instanceof StartError ? error : this.#unprepared(container, error);
      memory.failures.set(name, { reason, message, failedAtMs, retryAtMs: failedAtMs + retryAfterMs });
    }
  }

  /** What the node itself could not do for a container, as on a full disk, keeps the container waiting like any other cause. */
  #unprepared(container: ContainerSpec, cause: unknown): StartError {
    const text = cause instanceof Error ? cause.message : String(cause);
    this.#context.events.event(containerReference(this.#memory.pod, container), "Warning", "Failed", `Error: ${text}`);
    return new StartError("CreateContainerConfigError", text, { cause });
  }

  /** The hosts file is written before each start: the addresses are known now, and it is cheap. */
  async #writeHosts(podIps: readonly string[]): Promise<void> {
    const { pod } = this.#memory;
    const hostFile = pod.spec?.hostNetwork === true ? ((await this.#context.files.read("/etc/hosts")) ?? "") : "";
    const text = etcHosts(this.#context, pod, { podIps, hostFile });
    await this.#context.files.write(`${podDir(this.#context, podUid(pod))}/etc-hosts`, text, 0o644);
  }

  async #killContainer({ id, name, graceSeconds, message, isRestart }: ActionOf<"killContainer">): Promise<void> {
    const context = this.#context;
    const { pod, runtime } = this.#memory;
    const container = findContainer(pod, name)?.spec;
    context.events.event(containerReference(pod, { name }), "Normal", "Killing", message);
    const handler = container?.lifecycle?.preStop;
    const startedAtMs = context.clock.monotonic();
    if (container !== undefined && handler !== undefined && graceSeconds > 0) {
      const limit = new AbortController();
      const timer = context.clock.setTimeout(() => limit.abort(new Error("the grace period is over")), graceSeconds * 1000);
      try {
        const podIp = runtime.sandboxes[0]?.ips[0] ?? context.nodeIps[0] ?? "";
        await runHook(context, handler, { container, containerId: id, podIp, signal: limit.signal });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        context.events.event(containerReference(pod, container), "Warning", "FailedPreStopHook", `PreStopHook failed: ${text}`);
      } finally {
        timer.cancel();
      }
    }
    const usedSeconds = Math.floor((context.clock.monotonic() - startedAtMs) / 1000);
    const left = graceSeconds === 0 ? 0 : Math.max(Math.min(MINIMUM_GRACE_SECONDS, graceSeconds), graceSeconds - usedSeconds);
    await context.runtime.stopContainer(id, left, { stopSignal: container?.lifecycle?.stopSignal });
    if (isRestart) this.#memory.failures.delete(name);
  }

  /** The pod's group grows before its container does, and shrinks after it. */
  async #resizeContainer({ id, name }: ActionOf<"resizeContainer">): Promise<void> {
    const { cgroups, files, memoryBytes, runtime } = this.#context;
    const { pod, resized } = this.#memory;
    const resources = findContainer(pod, name)?.spec.resources ?? {};
    await cgroups.ensurePod(coveringPod(pod, this.#actual()));
    await runtime.updateContainerResources(id, linuxResources(pod, resources, memoryBytes));
    resized.set(id, resources);
    await cgroups.ensurePod(coveringPod(pod, this.#actual()));
    await files.write(resizedFile(this.#context, podUid(pod)), JSON.stringify([...resized]), 0o600);
  }

  /** What the running containers have, by name. */
  #actual(): ReadonlyMap<string, Resources> {
    const { runtime, resized } = this.#memory;
    const running = runtime.containers.filter(({ state }) => state === "RUNNING");
    return new Map(
      running.flatMap((container) => {
        const actual = actualResources(container, resized);
        return actual === undefined ? [] : [[container.name, actual] as const];
      }),
    );
  }

  async #tearDown(): Promise<void> {
    const uid = podUid(this.#memory.pod);
    this.#context.content?.unfollow(uid);
    this.#context.probeCounts.forget(uid);
    await this.#context.volumes.unmountPod(uid);
    this.#memory.volumePaths = undefined;
    await this.#context.cgroups.removePod(uid);
  }

  async #deleteObject(): Promise<void> {
    const { client } = this.#context;
    const { pod } = this.#memory;
    const { name = "", namespace, uid } = pod.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    try {
      await client.delete(resources.pods, name, { namespace, options });
    } catch (error) {
      if (!(await isGone(client, pod, error))) throw error;
    }
  }

  async #forget(): Promise<void> {
    const context = this.#context;
    const { pod, runtime } = this.#memory;
    for (const { id } of runtime.containers) await context.runtime.removeContainer(id);
    for (const { id } of runtime.sandboxes) await context.runtime.removeSandbox(id);
    await context.files.remove(podLogDirectory(context, pod));
    await context.files.remove(podDir(context, podUid(pod)));
  }
}
