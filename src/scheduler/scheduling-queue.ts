// Pods that wait to be scheduled: ready ones by priority and age, those that back off, and those that no event has
// given a reason to try again.
import { type Clock, Heap, type Timer } from "../base/index.ts";
import type { ClusterEvent, ScheduledPlugin } from "./framework.ts";
import type { PodInfo } from "./pod-info.ts";

export interface QueuedPod {
  readonly info: PodInfo;
  /** Monotonic; older pods of the same priority come first. */
  readonly queuedAtMs: number;
  readonly attempts: number;
}

export interface SchedulingQueueOptions {
  readonly clock: Clock;
  /** Called when a pod becomes ready after there was none. */
  readonly onReady: () => void;
  readonly initialBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** A pod that no event woke is tried again after so long. Default 5 minutes. */
  readonly maxUnschedulableMs?: number;
}

type Place = "ready" | "backoff" | "unschedulable";

interface Entry extends QueuedPod {
  readonly place: Place;
  /** When a pod in back-off becomes ready, or an unschedulable one is tried again at the latest. */
  readonly dueAtMs: number;
  readonly rejectedBy: readonly ScheduledPlugin[];
}

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #onReady: () => void;
  readonly #initialBackoffMs: number;
  readonly #maxBackoffMs: number;
  readonly #maxUnschedulableMs: number;
  /** Every pod in the queue by uid; heap entries that differ from it are void. */
  readonly #entries = new Map<string, Entry>();
  readonly #ready = new Heap<Entry>((a, b) => b.info.priority - a.info.priority || a.queuedAtMs - b.queuedAtMs);
  readonly #due = new Heap<Entry>((a, b) => a.dueAtMs - b.dueAtMs);
  readonly #unschedulable = new Set<string>();
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #readyCount = 0;

  constructor(options: SchedulingQueueOptions) {
    this.#clock = options.clock;
    this.#onReady = options.onReady;
    this.#initialBackoffMs = options.initialBackoffMs ?? 1000;
    this.#maxBackoffMs = options.maxBackoffMs ?? 10_000;
    this.#maxUnschedulableMs = options.maxUnschedulableMs ?? 300_000;
  }

  get length(): number {
    return this.#entries.size;
  }

  /** Queues a new pod, or one whose spec has changed. */
  add(info: PodInfo): void {
    const known = this.#entries.get(info.uid);
    const queuedAtMs = known?.queuedAtMs ?? this.#clock.monotonic();
    this.#place({ info, queuedAtMs, attempts: known?.attempts ?? 0, place: "ready", dueAtMs: 0, rejectedBy: [] });
  }

  delete(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    this.#entries.delete(uid);
    this.#unschedulable.delete(uid);
    if (entry.place === "ready") this.#readyCount--;
  }

  /** Takes the pod that is to be scheduled next. */
  pop(): QueuedPod | undefined {
    for (let entry = this.#ready.pop(); entry !== undefined; entry = this.#ready.pop()) {
      if (this.#entries.get(entry.info.uid) !== entry) continue;
      this.delete(entry.info.uid);
      return { info: entry.info, queuedAtMs: entry.queuedAtMs, attempts: entry.attempts + 1 };
    }
    return undefined;
  }

  get hasReady(): boolean {
    return this.#readyCount > 0;
  }

  /** Puts back a pod that no node took; it waits for an event that one of `rejectedBy` asks for. */
  addUnschedulable(pod: QueuedPod, rejectedBy: readonly ScheduledPlugin[]): void {
    this.#place({ ...pod, place: "unschedulable", dueAtMs: this.#clock.monotonic() + this.#maxUnschedulableMs, rejectedBy });
  }

  /** Puts back a pod whose attempt failed for another reason than the cluster's state. */
  addBackoff(pod: QueuedPod): void {
    this.#place({ ...pod, place: "backoff", dueAtMs: this.#clock.monotonic() + this.#backoffMs(pod.attempts), rejectedBy: [] });
  }

  /** Wakes the pods that `event` may help. */
  wake(event: ClusterEvent): void {
    for (const uid of [...this.#unschedulable]) {
      const entry = this.#entries.get(uid);
      if (entry?.rejectedBy.some((plugin) => plugin.wakesOn.includes(event)) === true) this.addBackoff(entry);
    }
  }

  close(): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }

  #backoffMs(attempts: number): number {
    return Math.min(this.#initialBackoffMs * 2 ** Math.max(0, attempts - 1), this.#maxBackoffMs);
  }

  #place(entry: Entry): void {
    this.delete(entry.info.uid);
    this.#entries.set(entry.info.uid, entry);
    if (entry.place === "unschedulable") this.#unschedulable.add(entry.info.uid);
    if (entry.place === "ready") {
      this.#ready.push(entry);
      if (this.#readyCount++ === 0) this.#onReady();
    } else {
      this.#due.push(entry);
      this.#schedule();
    }
  }

  #schedule(): void {
    const next = this.#due.peek();
    if (next === undefined || (this.#timer !== undefined && this.#timer.atMs <= next.dueAtMs)) return;
    this.#timer?.timer.cancel();
    const timer = this.#clock.setTimeout(() => this.#release(), next.dueAtMs - this.#clock.monotonic());
    this.#timer = { atMs: next.dueAtMs, timer };
  }

  #release(): void {
    this.#timer = undefined;
    for (let next = this.#due.peek(); next !== undefined && next.dueAtMs <= this.#clock.monotonic(); next = this.#due.peek()) {
      this.#due.pop();
      if (this.#entries.get(next.info.uid) === next) this.#place({ ...next, place: "ready" });
    }
    this.#schedule();
  }
}
