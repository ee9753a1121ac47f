// Keeps one pod: looks at it, asks the step function what to do, begins that, and looks again when something happened.
import { isDeepStrictEqual } from "node:util";
import type { PodStatus } from "../../api/types/core/v1.ts";
import type { Timer } from "../../base/index.ts";
import type { RuntimePod } from "../runtime/runtime.ts";
import { podStatus } from "../status/pod-status.ts";
import { StatusWriter } from "../status/status-writer.ts";
import { ActionRetries } from "./action-retries.ts";
import { PodActions } from "./pod-actions.ts";
import { containerReference, podReference } from "./pod-events.ts";
import { emptyMemory, type PodMemory } from "./pod-memory.ts";
import { formatPod, type PodObject, podUid } from "./pod-object.ts";
import { PodProbes } from "./pod-probes.ts";
import { PodResources } from "./pod-resources.ts";
import type { EndCause, PodView, WorkerState } from "./pod-view.ts";
import type { PodWorkerOptions } from "./pod-worker-options.ts";
import { type Action, type Plan, step } from "./step.ts";
import { TerminationMessages } from "./termination-messages.ts";
import { WaitingEvents } from "./waiting-events.ts";

/** How soon a look that failed is repeated. */
const RETRY_MS = 2_000;
/** The action that sets up the volumes. */
const VOLUMES_KEY = "volumes";

export class PodWorker {
  readonly #options: PodWorkerOptions;
  readonly #memory: PodMemory;
  readonly #actions: PodActions;
  readonly #probes: PodProbes;
  readonly #writer: StatusWriter;
  readonly #busy = new Set<string>();
  readonly #retries = new ActionRetries();
  readonly #resources: PodResources;
  readonly #messages: TerminationMessages;
  readonly #waitingEvents: WaitingEvents;
  #state: WorkerState;
  #isOrphan: boolean;
  /** The runtime has to be asked before the next step. */
  #isStale = true;
  #isRunning = false;
  #isDirty = false;
  #isForgotten = false;
  #timer: Timer | undefined;

  constructor(options: PodWorkerOptions) {
    const { context, pod, rejection, signal } = options;
    this.#options = options;
    this.#isOrphan = options.isOrphan === true;
    this.#state = rejection === undefined ? { kind: "running" } : { kind: "finished", cause: rejection };
    this.#memory = emptyMemory(pod);
    this.#resources = new PodResources({ context, memory: this.#memory, judge: options.judgeResize, onGranted: () => this.#granted() });
    this.#actions = new PodActions(context, this.#memory, options.allocatable);
    this.#messages = new TerminationMessages(context);
    this.#waitingEvents = new WaitingEvents(context.events);
    this.#probes = new PodProbes({
      context,
      onChange: () => this.wake(),
      report: (container, message) =>
        context.events.event(containerReference(this.#memory.pod, container), "Warning", "Unhealthy", message.trimEnd()),
    });
    const { client, clock, random, logger } = context;
    const { mirror } = options;
    const current = () => mirror?.() ?? this.#memory.pod;
    const onWritten = (written: PodObject) => (mirror === undefined ? this.update(written) : this.takeMirror(written));
    this.#writer = new StatusWriter({ client, clock, random, logger, signal, current, onWritten });
    signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  get pod(): PodObject {
    return this.#memory.pod;
  }

  get state(): WorkerState["kind"] {
    return this.#state.kind;
  }

  get runtime(): RuntimePod {
    return this.#memory.runtime;
  }

  /** Takes a newer object; an older one is passed over. */
  update(pod: PodObject): void {
    const known = Number(this.#memory.pod.metadata.resourceVersion ?? 0);
    if (Number(pod.metadata.resourceVersion ?? 0) <= known) return;
    const before = this.#memory.pod;
    this.#resources.update(pod);
    if (!isDeepStrictEqual(shownMetadata(before), shownMetadata(pod))) void this.refreshVolumes();
    this.wake();
  }

  /** The object that shows the pod in the API has changed: its status is the one that was reported last. */
  takeMirror({ metadata: { resourceVersion, generation }, status }: PodObject): void {
    const { wanted } = this.#resources;
    this.update({ ...wanted, metadata: { ...wanted.metadata, resourceVersion, generation }, status });
  }

  /** Brings the content of the pod's volumes up to date; never rejects. */
  async refreshVolumes(): Promise<void> {
    const { context, signal } = this.#options;
    if (this.#state.kind !== "running" || this.#memory.volumePaths === undefined || this.#memory.volumePaths.size === 0) return;
    try {
      await context.volumes.update(this.#memory.pod, signal);
    } catch (error) {
      if (!signal.aborted) context.logger.warn("cannot refresh volumes", { pod: formatPod(this.pod), error });
    }
  }

  /** Something that the volumes show or wait for has changed: what could not be set up is tried again at once. */
  volumesChanged(): void {
    if (this.#memory.volumePaths !== undefined) void this.refreshVolumes();
    else if (this.#retries.clear(VOLUMES_KEY)) this.wake();
  }

  /** The object is gone from the API. */
  orphan(): void {
    this.#isOrphan = true;
    this.wake();
  }

  /** Ends the pod as Failed, as under node pressure. */
  evict(cause: EndCause, graceSeconds: number): void {
    if (this.#state.kind !== "running") return;
    this.#state = { kind: "terminating", sinceMs: this.#options.context.clock.now(), graceSeconds, cause };
    this.#actions.abortStarts();
    this.wake();
  }

  /** Resolves when the status is told as far as it is known now. */
  async reported(): Promise<void> {
    await this.#writer.flush();
  }

  /** Whether new resources wait for room. */
  get isResizeDeferred(): boolean {
    return this.#resources.state.pending !== undefined;
  }

  /** Looks at the pod again; `isStale` asks the runtime as well. */
  wake(look: { readonly isStale?: boolean } = {}): void {
    if (look.isStale === true) this.#isStale = true;
    this.#isDirty = true;
    if (this.#isRunning || this.#options.signal.aborted || this.#isForgotten) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#isDirty && !this.#options.signal.aborted && !this.#isForgotten) {
        this.#isDirty = false;
        await this.#pass();
      }
    } catch (error) {
      this.#options.context.logger.error("cannot look at pod", { pod: formatPod(this.pod), error });
      this.#isStale = true;
      this.#wakeAfter(RETRY_MS);
    } finally {
      this.#isRunning = false;
    }
  }

  async #pass(): Promise<void> {
    await this.#refresh();
    if (this.#state.kind === "running") this.#resources.grant();
    const { context } = this.#options;
    const memory = this.#memory;
    const isHostNetwork = memory.pod.spec?.hostNetwork === true;
    const podIp = (isHostNetwork ? context.nodeIps[0] : memory.runtime.sandboxes[0]?.ips[0]) ?? "";
    this.#probes.sync(memory.pod, memory.runtime, { podIp, isEnding: this.#state.kind !== "running" });
    const plan = step(this.#view());
    this.#enter(plan.state);
    this.#waitingEvents.report(memory.pod, plan.waiting);
    for (const { key } of plan.actions) this.#busy.add(key);
    // Before the actions begin: an object must not be deleted before its last status is written.
    const { mirror } = this.#options;
    const isShown = mirror === undefined ? !this.#isOrphan : mirror() !== undefined;
    if (isShown) this.#writer.set(this.#status(plan));
    for (const action of plan.actions) void this.#begin(action);
    this.#timer?.cancel();
    if (plan.wakeAtMs !== undefined && Number.isFinite(plan.wakeAtMs)) this.#wakeAfter(plan.wakeAtMs - context.clock.now());
  }

  async #refresh(): Promise<void> {
    if (!this.#isStale) return;
    this.#isStale = false;
    const { context } = this.#options;
    const uid = podUid(this.pod);
    const found = (await context.runtime.listPods(uid))[0];
    this.#memory.runtime = found ?? { ...this.#memory.runtime, sandboxes: [], containers: [] };
    await this.#resources.restore();
    await this.#messages.read(uid, this.#memory.runtime.containers);
  }

  #granted(): void {
    void this.refreshVolumes();
    this.#options.onRoom();
  }

  #view(): PodView {
    const { pod, runtime, stopped, volumePaths, backoffs, failures, groupResources } = this.#memory;
    return {
      pod,
      nowMs: this.#options.context.clock.now(),
      runtime,
      stopped,
      state: this.#state,
      isOrphan: this.#isOrphan,
      hasVolumes: volumePaths !== undefined,
      busy: this.#busy,
      retryAtMs: this.#retries.times(this.#options.context.clock.now()),
      backoffs,
      failures,
      probes: this.#probes,
      condemned: this.#probes.condemned,
      actual: this.#resources.actual(),
      groupResources,
      resize: this.#resources.state,
    };
  }

  /** Computed on top of what is being written, so that times do not move while the answer is under way. */
  #status(plan: Plan): PodStatus {
    const view = this.#view();
    const pending = this.#writer.pending;
    const pod = pending === undefined ? view.pod : { ...view.pod, status: { ...view.pod.status, ...pending } };
    const { nodeIps } = this.#options.context;
    return podStatus({ view: { ...view, pod }, waiting: plan.waiting, terminationMessages: this.#messages.byContainer, nodeIps });
  }

  #enter(state: WorkerState): void {
    if (state.kind !== this.#state.kind) {
      if (state.kind === "terminating") this.#actions.abortStarts();
      if (state.kind !== "running") this.#isDirty = true;
    }
    this.#state = state;
  }

  async #begin(action: Action): Promise<void> {
    const { key } = action;
    try {
      if (action.kind === "deleteObject") await this.#writer.flush();
      await this.#actions.perform(action);
      this.#retries.clear(key);
      this.#finish(action);
    } catch (error) {
      this.#failed(action, error);
    } finally {
      this.#busy.delete(key);
      // Volumes are nothing to the runtime.
      this.wake({ isStale: action.kind !== "mountVolumes" });
    }
  }

  #finish(action: Action): void {
    if (isResize(action)) this.#resources.failed(undefined);
    if (action.kind === "tearDown") this.#options.onRoom();
    if (action.kind === "tearDown" && this.#state.kind === "terminated") this.#state = { kind: "finished", cause: this.#state.cause };
    // The object goes when its finalizers are gone: nothing more to do for it here.
    if (action.kind === "deleteObject") this.#retries.never(action.key);
    if (action.kind === "forget") {
      this.#isForgotten = true;
      this.#stop();
      this.#options.onForgotten();
    }
  }

  #failed(action: Action, error: unknown): void {
    const { context, signal } = this.#options;
    if (signal.aborted) return;
    if (isResize(action)) this.#resources.failed(error);
    this.#retries.failed(action.key, context.clock.now());
    context.logger.warn("pod action failed", { pod: formatPod(this.pod), action: action.kind, error });
    if (action.kind === "killContainer" || action.kind === "stopSandbox") {
      const text = error instanceof Error ? error.message : String(error);
      context.events.event(podReference(this.pod), "Warning", "FailedKillPod", `error killing pod: ${text}`);
    }
  }

  #wakeAfter(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.context.clock.setTimeout(() => this.wake(), delayMs);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#probes.stop();
  }
}

function isResize({ kind }: Action): boolean {
  return kind === "resizeContainer" || kind === "resizePod";
}

/** What a downwardAPI volume may show of a pod and may change while it runs. */
function shownMetadata({ metadata }: PodObject) {
  return [metadata.labels ?? {}, metadata.annotations ?? {}];
}
