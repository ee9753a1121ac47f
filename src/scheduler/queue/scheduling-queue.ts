// Pods that wait to be scheduled: ready ones in the order of QueueSort, those that back off, those that no event has given a
// reason to try again, and those that PreEnqueue holds back.
import { type Clock, Heap, type Timer } from "../../base/index.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { ClusterEvent, ObjectChange } from "../framework/events.ts";
import type { Plugin, QueuedPod } from "../framework/plugin.ts";
import { canHelp, type Rejecting, WaitingPods } from "./waiting-pods.ts";

export interface SchedulingQueueOptions {
  readonly clock: Clock;
  /** Called when a pod becomes ready after there was none. */
  readonly onReady: () => void;
  /** QueueSort. */
  readonly compare: NonNullable<Plugin["compare"]>;
  /** PreEnqueue: who holds the pod back from being scheduled at all. */
  preEnqueue?(pod: PodInfo): Rejecting | undefined;
  readonly initialBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** A pod that no event woke is tried again after so long. Default 5 minutes. */
  readonly maxUnschedulableMs?: number;
}

/** `error` is a back-off that nothing shortens. */
type Place = "ready" | "backoff" | "error" | "unschedulable" | "gated";

interface Entry extends QueuedPod {
  readonly place: Place;
  /** When a pod in back-off becomes ready, or an unschedulable one is tried again at the latest. */
  readonly dueAtMs: number;
  /** Before that time, trying again counts as too early. */
  readonly backoffUntilMs: number;
  readonly rejectedBy: readonly Rejecting[];
}

interface PastEvent {
  readonly event: ClusterEvent;
  readonly change: ObjectChange;
}

/** Events remembered for pods in flight; one that flies longer is tried again in any case. */
const MAX_EVENTS = 8192;

export class SchedulingQueue {
  readonly #options: SchedulingQueueOptions;
  readonly #clock: Clock;
  /** Every pod in the queue by uid; heap entries that differ from it are void. */
  readonly #entries = new Map<string, Entry>();
  readonly #ready: Heap<Entry>;
  readonly #backingOff = new Heap<Entry>((a, b) => a.dueAtMs - b.dueAtMs);
  readonly #due = new Heap<Entry>((a, b) => a.dueAtMs - b.dueAtMs);
  readonly #waiting = new WaitingPods<Entry>();
  readonly #counts: Record<Place, number> = { ready: 0, backoff: 0, error: 0, unschedulable: 0, gated: 0 };
  /** Pods that were popped and are not done: how many events there had been at that time. Oldest first. */
  readonly #inFlight = new Map<string, number>();
  /** Events since the oldest pod in flight was popped, as far as they are remembered, and how many there were before. */
  #events: PastEvent[] = [];
  #eventsBefore = 0;
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(options: SchedulingQueueOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#ready = new Heap<Entry>(options.compare);
  }

  get length(): number {
    return this.#entries.size;
  }

  /** Whether `pop` would answer a pod: with nothing else to do, those in back-off need not wait. */
  get hasReady(): boolean {
    return this.#counts.ready > 0 || this.#counts.backoff > 0;
  }

  /** The pod as the queue knows it. */
  get(uid: string): PodInfo | undefined {
    return this.#entries.get(uid)?.info;
  }

  /** Queues a new pod. */
  add(info: PodInfo): void {
    this.#admit({ info, queuedAtMs: this.#clock.monotonic(), attempts: 0 }, 0);
  }

  /** Takes in a new version of a waiting pod, which may be what it waited for. */
  update(info: PodInfo, change: ObjectChange): void {
    const known = this.#entries.get(info.uid);
    if (known === undefined) {
      if (!this.#inFlight.has(info.uid)) this.add(info);
    } else if (known.place === "gated") {
      this.#admit({ ...known, info }, known.backoffUntilMs);
    } else if (known.place === "unschedulable" && canHelp(known, "PodUpdate", change)) {
      this.#admit({ ...known, info }, known.backoffUntilMs);
    } else {
      this.#place({ ...known, info });
    }
  }

  delete(uid: string): void {
    this.#inFlight.delete(uid);
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    this.#entries.delete(uid);
    this.#counts[entry.place]--;
    if (isWaiting(entry)) this.#waiting.delete(entry);
  }

  /** Takes the pod that is to be scheduled next; it is in flight until it is put back, deleted or `done`. */
  pop(): QueuedPod | undefined {
    const entry = this.#popValid(this.#ready, "ready") ?? this.#popValid(this.#backingOff, "backoff");
    return entry === undefined ? undefined : this.#takeOff(entry);
  }

  /** Takes that pod out of turn, unless it is held back, or an error's back-off keeps it. */
  take(uid: string): QueuedPod | undefined {
    const entry = this.#entries.get(uid);
    return entry === undefined || entry.place === "gated" || entry.place === "error" ? undefined : this.#takeOff(entry);
  }

  #takeOff(entry: Entry): QueuedPod {
    const { uid } = entry.info;
    this.delete(uid);
    this.#inFlight.set(uid, this.#eventsBefore + this.#events.length);
    return { info: entry.info, queuedAtMs: entry.queuedAtMs, attempts: entry.attempts + 1 };
  }

  #popValid(heap: Heap<Entry>, place: Place): Entry | undefined {
    for (let entry = heap.pop(); entry !== undefined; entry = heap.pop()) {
      if (this.#entries.get(entry.info.uid) === entry && entry.place === place) return entry;
    }
    return undefined;
  }

  /** The pod is bound: events no longer matter to it. */
  done(uid: string): void {
    this.#inFlight.delete(uid);
    if (this.#events.length > 0) this.#forgetEvents();
  }

  /** Puts back a pod that no node took, unless it was deleted: it waits for an event that one of `rejectedBy` asks for. */
  addUnschedulable(pod: QueuedPod, rejectedBy: readonly Rejecting[]): void {
    if (!this.#inFlight.has(pod.info.uid)) return;
    const nowMs = this.#clock.monotonic();
    const backoffUntilMs = nowMs + this.#backoffMs(pod.attempts);
    const entry = { ...pod, queuedAtMs: nowMs, backoffUntilMs, rejectedBy };
    const isHelped = this.#wasHelpedSincePop(entry);
    this.done(pod.info.uid);
    if (isHelped) {
      this.#admit(entry, backoffUntilMs);
    } else {
      this.#place({ ...entry, place: "unschedulable", dueAtMs: nowMs + (this.#options.maxUnschedulableMs ?? 300_000) });
    }
  }

  /** Puts back a pod whose attempt failed for another reason than the cluster's state, unless it was deleted. */
  addBackoff(pod: QueuedPod): void {
    if (!this.#inFlight.has(pod.info.uid)) return;
    const nowMs = this.#clock.monotonic();
    const dueAtMs = nowMs + this.#backoffMs(pod.attempts);
    this.done(pod.info.uid);
    this.#place({ ...pod, queuedAtMs: nowMs, place: "error", dueAtMs, backoffUntilMs: dueAtMs, rejectedBy: [] });
  }

  /** Wakes the pods that `event` may help. */
  wake(event: ClusterEvent, change: ObjectChange): void {
    if (this.#inFlight.size > 0) this.#remember({ event, change });
    for (const entry of this.#waiting.helpedBy(event, change)) this.#admit(entry, entry.backoffUntilMs);
  }

  #remember(event: PastEvent): void {
    this.#events.push(event);
    if (this.#events.length <= MAX_EVENTS) return;
    this.#events = this.#events.slice(MAX_EVENTS / 2);
    this.#eventsBefore += MAX_EVENTS / 2;
  }

  close(): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }

  #backoffMs(attempts: number): number {
    const { initialBackoffMs = 1000, maxBackoffMs = 10_000 } = this.#options;
    return Math.min(initialBackoffMs * 2 ** Math.max(0, attempts - 1), maxBackoffMs);
  }

  /** Also when nobody knows any more what came. */
  #wasHelpedSincePop(pod: QueuedPod & { readonly rejectedBy: readonly Rejecting[] }): boolean {
    const since = this.#inFlight.get(pod.info.uid) ?? 0;
    if (since < this.#eventsBefore) return true;
    return this.#events.slice(since - this.#eventsBefore).some(({ event, change }) => canHelp(pod, event, change));
  }

  #forgetEvents(): void {
    const [oldest] = this.#inFlight.values();
    const total = this.#eventsBefore + this.#events.length;
    const keepFrom = oldest ?? total;
    // Not for each event: that would copy the rest again and again.
    if (oldest !== undefined && (keepFrom - this.#eventsBefore) * 2 < this.#events.length) return;
    this.#events = this.#events.slice(keepFrom - this.#eventsBefore);
    this.#eventsBefore = keepFrom;
  }

  /** Puts a pod where it is tried again, unless PreEnqueue holds it back. */
  #admit(pod: QueuedPod, backoffUntilMs: number): void {
    const gate = this.#options.preEnqueue?.(pod.info);
    const isEarly = backoffUntilMs > this.#clock.monotonic();
    const place = gate !== undefined ? "gated" : isEarly ? "backoff" : "ready";
    this.#place({ ...pod, place, dueAtMs: backoffUntilMs, backoffUntilMs, rejectedBy: gate === undefined ? [] : [gate] });
  }

  #place(entry: Entry): void {
    const hadReady = this.hasReady;
    this.delete(entry.info.uid);
    this.#entries.set(entry.info.uid, entry);
    this.#counts[entry.place]++;
    if (isWaiting(entry)) this.#waiting.add(entry);
    if (entry.place === "backoff") this.#backingOff.push(entry);
    if (entry.place === "ready") this.#ready.push(entry);
    else if (entry.place !== "gated") this.#schedule(entry);
    if (!hadReady && this.hasReady) this.#options.onReady();
  }

  #schedule(entry: Entry): void {
    this.#due.push(entry);
    this.#setTimer();
  }

  #setTimer(): void {
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
      if (this.#entries.get(next.info.uid) === next) this.#admit(next, 0);
    }
    this.#setTimer();
  }
}

/** Whether an event may be what the pod waits for. */
function isWaiting({ place }: Entry): boolean {
  return place === "unschedulable" || place === "gated";
}
