// One priority level at work: requests under way, and queues of those that wait. Flows are dealt a hand of queues (shuffle
// sharding), so that a flow that sends too much fills its own hand and leaves the others' queues alone.
import type { LevelLimits } from "./limits.ts";

/** A request that waits for its turn. */
export interface Waiter {
  /** How many it needs. */
  readonly seats: number;
  /** Called once, when its turn has come. */
  readonly start: () => void;
}

interface Queue {
  readonly waiters: Waiter[];
  /** When, in the time that passes by one with every seat given, the queue's next request is due. */
  due: number;
}

export class PriorityLevel {
  readonly name: string;
  uid = "";
  limits: LevelLimits;
  /** Requests under way. */
  executing = 0;
  /** Seats that they take. */
  inUse = 0;
  /** Requests in all queues. */
  waiting = 0;
  #queues: Queue[] = [];
  #now = 0;

  constructor(name: string, limits: LevelLimits) {
    this.name = name;
    this.limits = limits;
  }

  /** Puts the waiter into the shortest queue of its flow's hand; undefined when that is full, else how to take it out again. */
  enqueue(flow: string, waiter: Waiter): (() => void) | undefined {
    const { queuing } = this.limits;
    if (queuing === undefined) return undefined;
    while (this.#queues.length < queuing.queues) this.#queues.push({ waiters: [], due: 0 });
    const hand = dealHand(flow, queuing.queues, queuing.handSize).map((index) => this.#queues[index] as Queue);
    const queue = hand.reduce((best, other) => (other.waiters.length < best.waiters.length ? other : best));
    if (queue.waiters.length >= queuing.queueLengthLimit) return undefined;
    if (queue.waiters.length === 0) queue.due = Math.max(queue.due, this.#now);
    queue.waiters.push(waiter);
    this.waiting++;
    return () => {
      const at = queue.waiters.indexOf(waiter);
      if (at < 0) return;
      queue.waiters.splice(at, 1);
      this.waiting--;
    };
  }

  /** The next to be served, from the queue whose turn is longest due, if `fits` says so; it keeps its place otherwise. */
  dequeue(fits: (seats: number) => boolean): Waiter | undefined {
    let next: Queue | undefined;
    for (const queue of this.#queues) {
      if (queue.waiters.length > 0 && (next === undefined || queue.due < next.due)) next = queue;
    }
    const waiter = next?.waiters[0];
    if (next === undefined || waiter === undefined || !fits(waiter.seats)) return undefined;
    next.waiters.shift();
    this.waiting--;
    this.#now = next.due;
    next.due += waiter.seats;
    return waiter;
  }
}

/** `size` different numbers below `queues`, the same for the same flow. */
export function dealHand(flow: string, queues: number, size: number): number[] {
  const hand = new Set<number>();
  let state = hash(flow);
  while (hand.size < Math.min(size, queues)) {
    state = (state + 0x9e3779b9) | 0;
    hand.add(mixed(state) % queues);
  }
  return [...hand];
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state;
}

/** Murmur's last steps: every bit of the answer depends on every bit of `state`. */
function mixed(state: number): number {
  let bits = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
