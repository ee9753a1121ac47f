// How many requests each priority level may have under way at once, from the shares of all. Pure.
import type { PriorityLevelConfiguration } from "../../api/types/flowcontrol/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** Upstream's --max-requests-inflight and --max-mutating-requests-inflight together. */
export const TOTAL_SEATS = 600;

const MAX_REQUEST_SEATS = 100;
/** Of a level with queues, the part that one request may take. */
const MAX_REQUEST_SHARE = 0.15;

export interface LevelLimits {
  readonly isExempt: boolean;
  readonly seats: number;
  /** Of `seats`, how many others may have while they are not needed here. */
  readonly lendable: number;
  /** How many it may have of others at most. */
  readonly borrowable: number;
  /** One request takes no more. */
  readonly maxRequestSeats: number;
  /** Absent: requests beyond the limit are rejected. */
  readonly queuing?: { readonly queues: number; readonly handSize: number; readonly queueLengthLimit: number } | undefined;
}

/** By the level's name. */
export function limitsOf(
  levels: readonly DeepReadonly<PriorityLevelConfiguration>[],
  totalSeats: number = TOTAL_SEATS,
): ReadonlyMap<string, LevelLimits> {
  const sum = levels.reduce((total, level) => total + sharesOf(level), 0);
  return new Map(levels.map((level) => [level.metadata.name ?? "", limitsOfLevel(level, totalSeats / Math.max(sum, 1))]));
}

function sharesOf({ spec }: DeepReadonly<PriorityLevelConfiguration>): number {
  return (spec?.type === "Exempt" ? spec.exempt?.nominalConcurrencyShares : spec?.limited?.nominalConcurrencyShares) ?? 0;
}

function limitsOfLevel(level: DeepReadonly<PriorityLevelConfiguration>, seatsPerShare: number): LevelLimits {
  const { spec } = level;
  const seats = Math.ceil(sharesOf(level) * seatsPerShare);
  if (spec?.type === "Exempt") return { isExempt: true, seats, lendable: 0, borrowable: 0, maxRequestSeats: MAX_REQUEST_SEATS };
  const { queues = 64, handSize = 8, queueLengthLimit = 50 } = spec?.limited?.limitResponse?.queuing ?? {};
  const isQueuing = spec?.limited?.limitResponse?.type === "Queue";
  const borrowing = spec?.limited?.borrowingLimitPercent;
  return {
    isExempt: false,
    seats,
    borrowable: borrowing === undefined ? Number.POSITIVE_INFINITY : Math.round((seats * borrowing) / 100),
    lendable: Math.round((seats * (spec?.limited?.lendablePercent ?? 0)) / 100),
    maxRequestSeats: isQueuing ? maxRequestSeats(seats, handSize) : MAX_REQUEST_SEATS,
    queuing: isQueuing ? { queues, handSize, queueLengthLimit } : undefined,
  };
}

/** So that the flows of a whole hand find room beside each other. */
function maxRequestSeats(seats: number, handSize: number): number {
  const wanted = Math.min(Math.ceil(seats * MAX_REQUEST_SHARE), Math.floor(seats / handSize));
  return Math.min(Math.max(wanted, 1), MAX_REQUEST_SEATS);
}
