// All pods of the node: a worker for each, made and forgotten as objects and the runtime's pods come and go.

import type { AdmissionNode } from "./admission.ts";
import { admitPod } from "./admission.ts";
import type { NodeContext } from "./node-context.ts";
import { podReference } from "./pod/pod-events.ts";
import { type PodObject, podUid } from "./pod/pod-object.ts";
import type { EndCause } from "./pod/pod-view.ts";
import { PodWorker } from "./pod/pod-worker.ts";
import { judgeResize } from "./resize.ts";
import type { RuntimePod } from "./runtime/runtime.ts";
import type { PodsView } from "./server/index.ts";

export interface PodRegistryOptions {
  readonly context: NodeContext;
  readonly node: () => AdmissionNode;
  /** Nothing is left of a pod. */
  readonly onReleased?: () => void;
  readonly signal: AbortSignal;
}

export class PodRegistry implements PodsView {
  readonly #options: PodRegistryOptions;
  /** By pod uid. */
  readonly #workers = new Map<string, PodWorker>();
  /** Called whenever nothing of a pod runs any more. */
  readonly #onEnded = new Set<() => void>();
  /** Pods that the runtime had when the agent began or at the last comparison: they were admitted before. */
  #runtimeUids: ReadonlySet<string> = new Set();
  readonly #known = Promise.withResolvers<void>();
  #isKnown = false;

  constructor(options: PodRegistryOptions) {
    this.#options = options;
  }

  /** The pods as the agent knows them. */
  list(): readonly PodObject[] {
    return [...this.#workers.values()].map((worker) => worker.pod);
  }

  /** Of pods with the same name, one that is gone from the API and one that took its place, the newer. */
  get(namespace: string, name: string): PodObject | undefined {
    return this.list().findLast(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  }

  known(): Promise<void> {
    return this.#known.promise;
  }

  worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  /** An object of this node was seen. */
  see(pod: PodObject): void {
    const uid = podUid(pod);
    const known = this.#workers.get(uid);
    if (known === undefined) this.#add(pod, { isOrphan: false });
    else known.update(pod);
  }

  /**
   * A pod of a manifest is to run; it waits while an earlier pod of its name ends, until `onReleased`. `mirror` is the
   * object that shows it in the API, when there is one.
   */
  seeStatic(pod: PodObject, mirror: () => PodObject | undefined): void {
    const { namespace, name } = pod.metadata;
    const isTaken = this.list().some(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    if (!isTaken) this.#add(pod, { isOrphan: false, mirror });
  }

  /** An object is gone from the API. */
  lose(pod: PodObject): void {
    this.#workers.get(podUid(pod))?.orphan();
  }

  /** Resolves when none of these pods runs and their statuses are told, or when the signal aborts. */
  async untilEnded(uids: readonly string[], signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted || uids.every((uid) => hasEnded(this.#workers.get(uid)));
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!isOver()) return;
        this.#onEnded.delete(look);
        signal.removeEventListener("abort", look);
        resolve();
      };
      this.#onEnded.add(look);
      signal.addEventListener("abort", look);
      look();
    });
    if (!signal.aborted) await Promise.all(uids.map((uid) => this.#workers.get(uid)?.reported()));
  }

  /** Something happened to a pod in the runtime; never rejects. */
  async stir(uid: string): Promise<void> {
    const worker = this.#workers.get(uid);
    if (worker !== undefined) worker.wake({ isStale: true });
    else await this.#adoptLate(uid);
  }

  /** A start that was given up may be carried out when its pod is forgotten. What fails here is left to the next comparison. */
  async #adoptLate(uid: string): Promise<void> {
    const { context, signal } = this.#options;
    try {
      this.#adopt(await context.runtime.listPods(uid, signal));
    } catch (error) {
      if (!signal.aborted) context.logger.debug("cannot look for an orphaned pod", { uid, error });
    }
  }

  /** Compares with all that the runtime has; what nobody knows is an orphan and is ended. */
  async compare(signal: AbortSignal): Promise<void> {
    const found = await this.#options.context.runtime.listPods(undefined, signal);
    this.#runtimeUids = new Set(found.map(({ uid }) => uid));
    this.#adopt(found);
    const byUid = new Map(found.map((pod) => [pod.uid, pod]));
    for (const [uid, worker] of this.#workers) {
      if (fingerprint(byUid.get(uid)) !== fingerprint(worker.runtime)) worker.wake({ isStale: true });
    }
  }

  /** Ends what runs and has no object; to be called when all objects of this node are known. */
  async adoptOrphans(signal: AbortSignal): Promise<void> {
    this.#isKnown = true;
    this.#known.resolve();
    const { context } = this.#options;
    this.#adopt(await context.runtime.listPods(undefined, signal));
    for (const uid of await context.volumes.listPods()) if (!this.#workers.has(uid)) await context.volumes.unmountPod(uid, signal);
    for (const uid of await context.cgroups.listPods()) if (!this.#workers.has(uid)) await context.cgroups.removePod(uid);
  }

  /** Ends what has no object, once all objects are known. */
  #adopt(found: readonly RuntimePod[]): void {
    if (!this.#isKnown) return;
    for (const pod of found) if (pod.uid !== "" && !this.#workers.has(pod.uid)) this.#add(orphanObject(pod), { isOrphan: true });
  }

  #add(pod: PodObject, { isOrphan, mirror }: { readonly isOrphan: boolean; readonly mirror?: () => PodObject | undefined }): void {
    const { context, node, onReleased, signal } = this.#options;
    const uid = podUid(pod);
    const rejection = isOrphan ? undefined : this.#rejection(pod);
    const worker = new PodWorker({
      context,
      pod,
      isOrphan,
      rejection,
      judgeResize: (wanted) => judgeResize(wanted, this.#activePods(uid), node().allocatable),
      onRoom: () => {
        this.#retryResizes();
        for (const look of this.#onEnded) look();
      },
      allocatable: () => node().allocatable,
      onForgotten: () => {
        this.#workers.delete(uid);
        onReleased?.();
      },
      mirror,
      signal,
    });
    this.#workers.set(uid, worker);
    worker.wake();
  }

  /** The pods that hold resources, but for one. */
  #activePods(exceptUid: string): readonly PodObject[] {
    const active = [...this.#workers].filter(([uid, { state }]) => uid !== exceptUid && (state === "running" || state === "terminating"));
    return active.map(([, worker]) => worker.pod);
  }

  /** There may be room for resources that waited; the most important pod comes first. */
  #retryResizes(): void {
    const waiting = [...this.#workers.values()].filter((worker) => worker.isResizeDeferred);
    waiting.sort((a, b) => (b.pod.spec?.priority ?? 0) - (a.pod.spec?.priority ?? 0));
    for (const worker of waiting) worker.wake();
  }

  /** Pods that began before, or have ended, are not judged again. */
  #rejection(pod: PodObject): EndCause | undefined {
    const { context, node } = this.#options;
    const phase = pod.status?.phase;
    const isNew = (phase === undefined || phase === "Pending") && !this.#runtimeUids.has(podUid(pod));
    if (!isNew || pod.metadata.deletionTimestamp !== undefined) return undefined;
    const cause = admitPod(pod, this.#activePods(podUid(pod)), node());
    if (cause !== undefined) context.events.event(podReference(pod), "Warning", cause.reason, cause.message);
    return cause;
  }
}

function hasEnded(worker: PodWorker | undefined): boolean {
  return worker === undefined || worker.state === "terminated" || worker.state === "finished";
}

/** Tells whether anything of a pod began or ended. */
function fingerprint(pod: RuntimePod | undefined): string {
  const parts = [...(pod?.sandboxes ?? []), ...(pod?.containers ?? [])].map(({ id, state }) => `${id}=${state}`);
  return parts.sort().join(" ");
}

/** Enough of an object to end a pod that only the runtime knows. */
function orphanObject({ uid, name, namespace }: RuntimePod): PodObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { uid, name, namespace }, spec: { containers: [] } };
}
