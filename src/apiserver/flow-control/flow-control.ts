// API priority and fairness: every request belongs to a flow schema and so to a priority level; a level with all its seats
// taken lets requests wait in queues, and rejects them when those are full.
import type { UserInfo } from "../../api/index.ts";
import type { FlowSchema, PriorityLevelConfiguration } from "../../api/types/flowcontrol/v1.ts";
import type { Clock } from "../../base/index.ts";
import { type DeepReadonly, statusError } from "../../machinery/index.ts";
import type { RequestInfo } from "../front/request-info.ts";
import { limitsOf } from "./limits.ts";
import { type Asked as AskedOfSchema, FlowMatcher } from "./matching.ts";
import { PriorityLevel } from "./priority-level.ts";
import { WatchTracker } from "./watch-tracker.ts";
import { ONE_SEAT, type ResourceSize, type SeatedWork, seatsOf, type Work, workOfWrite } from "./work-estimator.ts";

export interface FlowConfiguration {
  readonly schemas: readonly DeepReadonly<FlowSchema>[];
  readonly levels: readonly DeepReadonly<PriorityLevelConfiguration>[];
}

export type Asked = AskedOfSchema & Work & Pick<RequestInfo, "version" | "name">;

/** A request that may go on. */
export interface Turn {
  readonly schemaUid: string;
  readonly levelUid: string;
  /** Gives the seats back, those of a write when its watchers have been told; more than once does nothing. */
  release(): void;
}

export interface FlowObserver {
  dispatched(level: string, schema: string): void;
  rejected(level: string, schema: string, reason: "queue-full" | "time-out" | "concurrency-limit" | "cancelled"): void;
}

/** A request waits no longer than this: a quarter of the usual time of a request, as upstream. */
const MAX_WAIT_MS = 15_000;

export interface FlowControlOptions {
  readonly clock: Pick<Clock, "setTimeout">;
  readonly observer?: FlowObserver | undefined;
  readonly totalSeats?: number | undefined;
  /** How much is stored of a resource; undefined when that is somewhere else. Absent: every request takes one seat. */
  readonly sizeOf?: ((asked: Asked) => ResourceSize | undefined) | undefined;
}

/** What is asked of a level for one request. */
interface Entry {
  readonly level: PriorityLevel;
  readonly schema: DeepReadonly<FlowSchema>;
  readonly flow: string;
  readonly work: SeatedWork;
}

const writes = new Set(["create", "update", "patch", "delete"]);

export class FlowControl {
  readonly #options: FlowControlOptions;
  #matcher = new FlowMatcher([]);
  readonly #levels = new Map<string, PriorityLevel>();
  /** To be told of the watches that go on. */
  readonly watches = new WatchTracker();

  constructor(options: FlowControlOptions) {
    this.#options = options;
  }

  get levels(): Iterable<PriorityLevel> {
    return this.#levels.values();
  }

  /** Takes a new configuration; requests under way and in queues keep their places. */
  configure({ schemas, levels }: FlowConfiguration): void {
    const limits = limitsOf(levels, this.#options.totalSeats);
    for (const [name, level] of limits) {
      const known = this.#levels.get(name) ?? new PriorityLevel(name, level);
      known.limits = level;
      known.uid = levels.find(({ metadata }) => metadata.name === name)?.metadata.uid ?? "";
      this.#levels.set(name, known);
    }
    for (const name of this.#levels.keys()) if (!limits.has(name)) this.#levels.delete(name);
    // A schema whose level is not there is as if it was not there itself.
    this.#matcher = new FlowMatcher(schemas.filter(({ spec }) => limits.has(spec?.priorityLevelConfiguration.name ?? "")));
  }

  /**
   * Lets the request go on, at once or when its turn has come. Throws or rejects with TooManyRequests. `onGone` is handed
   * what to call when nobody waits for the answer any more.
   */
  enter(user: UserInfo, asked: Asked, onGone: (cancel: () => void) => void): Turn | Promise<Turn> | undefined {
    const schema = this.#matcher.match(user, asked);
    const level = schema === undefined ? undefined : this.#levels.get(schema.spec?.priorityLevelConfiguration.name ?? "");
    if (schema === undefined || level === undefined) return undefined;
    const work = level.limits.isExempt ? ONE_SEAT : this.#workOf(asked, level);
    const entry: Entry = { level, schema, work, flow: flowOf(schema, user, asked) };
    if (level.limits.isExempt || (level.waiting === 0 && this.#hasSeats(level, work.seats))) return this.#begin(entry);
    return this.#wait(entry, onGone);
  }

  #workOf(asked: Asked, { limits }: PriorityLevel): SeatedWork {
    const { isResource, verb } = asked;
    if (!isResource) return ONE_SEAT;
    if (verb === "list" || verb === "watch")
      return { seats: seatsOf(asked, this.#options.sizeOf?.(asked), limits.maxRequestSeats), afterwardsMs: 0 };
    // Nobody hears of a token.
    if (!writes.has(verb) || asked.subresource === "token") return ONE_SEAT;
    return workOfWrite(this.watches.interested(asked), limits.maxRequestSeats);
  }

  #begin({ level, schema, work: { seats, afterwardsMs } }: Entry): Turn {
    level.executing++;
    level.inUse += seats;
    this.#options.observer?.dispatched(level.name, schema.metadata.name ?? "");
    let isOver = false;
    const giveBack = () => {
      level.inUse -= seats;
      this.#serve();
    };
    const release = () => {
      if (isOver) return;
      isOver = true;
      level.executing--;
      if (afterwardsMs === 0) giveBack();
      else this.#options.clock.setTimeout(giveBack, afterwardsMs);
    };
    return { schemaUid: schema.metadata.uid ?? "", levelUid: level.uid, release };
  }

  #wait(entry: Entry, onGone: (cancel: () => void) => void): Promise<Turn> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const giveUp = (reason: "time-out" | "cancelled") => {
        leave?.();
        timer.cancel();
        reject(this.#rejection(entry, reason));
      };
      const start = () => {
        timer.cancel();
        resolve(this.#begin(entry));
      };
      const leave = entry.level.enqueue(entry.flow, { seats: entry.work.seats, start });
      if (leave === undefined) {
        reject(this.#rejection(entry, entry.level.limits.queuing === undefined ? "concurrency-limit" : "queue-full"));
        return;
      }
      const timer = clock.setTimeout(() => giveUp("time-out"), MAX_WAIT_MS);
      onGone(() => giveUp("cancelled"));
    });
  }

  #rejection({ level, schema }: Entry, reason: Parameters<FlowObserver["rejected"]>[2]): Error {
    this.#options.observer?.rejected(level.name, schema.metadata.name ?? "", reason);
    return statusError("TooManyRequests", "Too many requests, please try again later.", { retryAfterSeconds: 1 });
  }

  /** Whether the level has so many seats of its own left, or others lend it what is missing. */
  #hasSeats(level: PriorityLevel, wanted: number): boolean {
    const { seats, borrowable } = level.limits;
    const missing = level.inUse + wanted - seats;
    if (missing <= 0) return true;
    // What is wider than the whole level goes on alone.
    if (level.inUse === 0 && seats > 0) return true;
    if (missing > borrowable) return false;
    let free = 0;
    let borrowed = missing;
    for (const other of this.#levels.values()) {
      if (other === level || other.limits.isExempt) continue;
      borrowed += Math.max(0, other.inUse - other.limits.seats);
      free += Math.min(other.limits.lendable, Math.max(0, other.limits.seats - other.inUse));
    }
    return borrowed <= free;
  }

  /** Seats have become free: whoever may have them goes on. */
  #serve(): void {
    for (const level of this.#levels.values()) {
      const next = () => (level.waiting === 0 ? undefined : level.dequeue((seats) => this.#hasSeats(level, seats)));
      for (let waiter = next(); waiter !== undefined; waiter = next()) waiter.start();
    }
  }
}

/** What tells the flows of a schema apart. */
function flowOf({ metadata, spec }: DeepReadonly<FlowSchema>, user: UserInfo, { namespace }: Asked): string {
  const { type } = spec?.distinguisherMethod ?? {};
  const distinguisher = type === "ByUser" ? user.name : type === "ByNamespace" ? namespace : "";
  return `${metadata.name}/${distinguisher}`;
}
