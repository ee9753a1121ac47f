// How many seats a request takes: a list and the beginning of a watch by the bytes of what they answer, a write by the watchers that
// hear of it, all others one. Pure.

import type { RequestInfo } from "../front/request-info.ts";
import { nameSelectedBy } from "../registry/selection.ts";

/** What is stored of one resource. */
export interface ResourceSize {
  readonly objects: number;
  readonly bytes: number;
}

/** What a request takes of its level. */
export interface SeatedWork {
  readonly seats: number;
  /** How long it keeps them when it is done. */
  readonly afterwardsMs: number;
}

/** One seat, and nothing afterwards. */
export const ONE_SEAT: SeatedWork = { seats: 1, afterwardsMs: 0 };

export type Work = Pick<RequestInfo, "verb" | "query">;

const MIN_SEATS = 1;
const BYTES_PER_SEAT = 100_000;
/** A list from the cache is written piece by piece: no more than so much of it is thought to be in memory at once. */
const MAX_STREAMED_BYTES = 1_000_000;

/** A seat sends events to so many watchers in the time of one event; fewer cost nothing. */
const WATCHERS_PER_SEAT = 10;
const EVENT_MS = 5;
const MAX_WRITE_SEATS = 10;

/**
 * What a write takes whose event is sent to so many watchers. Where it may not be as wide as it should be, it takes longer.
 * @see apiserver/pkg/util/flowcontrol/request/mutating_work_estimator.go
 */
export function workOfWrite(watchers: number, maxSeats: number): SeatedWork {
  if (watchers < WATCHERS_PER_SEAT) return ONE_SEAT;
  const wanted = Math.ceil(watchers / WATCHERS_PER_SEAT);
  const seats = Math.min(wanted, maxSeats, MAX_WRITE_SEATS);
  return { seats, afterwardsMs: (wanted * EVENT_MS) / seats };
}

/**
 * The seats of a request on a resource of which `size` is stored; undefined when it is stored elsewhere.
 * @see apiserver/pkg/util/flowcontrol/request/list_work_estimator.go
 */
export function seatsOf({ verb, query }: Work, size: ResourceSize | undefined, maxSeats: number): number {
  if (size === undefined || size.objects === 0) return MIN_SEATS;
  if (verb !== "list" && !(verb === "watch" && beginsWithState(query))) return MIN_SEATS;
  const isFromCache = verb === "watch" || !asksForOlderState(query);
  const bytes = objectsAtOnce(query, size.objects, isFromCache) * (size.bytes / size.objects);
  const seats = Math.ceil((isFromCache ? Math.min(bytes, MAX_STREAMED_BYTES) : bytes) / BYTES_PER_SEAT);
  return Math.min(Math.max(seats, MIN_SEATS), maxSeats);
}

function objectsAtOnce(query: URLSearchParams | undefined, stored: number, isFromCache: boolean): number {
  if (nameSelectedBy(query?.get("fieldSelector") ?? "") !== undefined) return 1;
  const limit = Number(query?.get("limit") ?? 0);
  const limited = limit > 0 ? Math.min(limit, stored) : stored;
  const selects = (query?.get("fieldSelector") ?? "") !== "" || (query?.get("labelSelector") ?? "") !== "";
  return selects && !isFromCache ? Math.max(limited, stored / 2) : limited;
}

/** Whether a watch sends all that is there before what changes. */
function beginsWithState(query: URLSearchParams | undefined): boolean {
  const version = query?.get("resourceVersion") ?? "";
  return query?.get("sendInitialEvents") === "true" || version === "" || version === "0";
}

/** Whether upstream's cache would leave the list to the store. */
function asksForOlderState(query: URLSearchParams | undefined): boolean {
  const version = query?.get("resourceVersion") ?? "";
  const match = query?.get("resourceVersionMatch") ?? "";
  if ((query?.get("continue") ?? "") !== "" || match === "Exact") return true;
  return match === "" && Number(query?.get("limit") ?? 0) > 0 && version !== "" && version !== "0";
}
