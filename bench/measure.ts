// Rounds of measurement and what is told about them: the median round, the spread of all, the slow ones among the calls.
import type { Connection } from "./connection.ts";
import { type Usage, usageOf } from "./usage.ts";

export interface Round {
  readonly operations: number;
  readonly seconds: number;
  /** One for each operation, in any order; empty when single operations were not timed. */
  readonly latenciesMs: readonly number[];
  readonly before: Usage | undefined;
  readonly after: Usage | undefined;
}

export interface Row {
  readonly name: string;
  readonly rounds: readonly Round[];
}

export interface Summary {
  readonly perSecond: number;
  /** Slowest and fastest round. */
  readonly spread: readonly [number, number];
  readonly seconds: number;
  readonly p50Ms: number | undefined;
  readonly p90Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly cpuSecondsPerThousand: number | undefined;
  readonly rssBytes: readonly [number, number] | undefined;
}

/** The nearest-rank percentile of ascending numbers. */
export function percentile(sorted: readonly number[], fraction: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)];
}

export function median(values: readonly number[]): number | undefined {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

export function summarize({ rounds }: Row): Summary {
  const rates = rounds.map(({ operations, seconds }) => operations / seconds).toSorted((a, b) => a - b);
  const sorted = rounds.map(({ latenciesMs }) => latenciesMs.toSorted((a, b) => a - b));
  const latency = (fraction: number) => median(sorted.map((round) => percentile(round, fraction)).filter((value) => value !== undefined));
  const first = rounds[0]?.before;
  const last = rounds.at(-1)?.after;
  return {
    perSecond: percentile(rates, 0.5) ?? 0,
    spread: [rates[0] ?? 0, rates.at(-1) ?? 0],
    seconds: median(rounds.map(({ seconds }) => seconds)) ?? 0,
    p50Ms: latency(0.5),
    p90Ms: latency(0.9),
    p99Ms: latency(0.99),
    cpuSecondsPerThousand: median(rounds.map(cpuPerThousand).filter((value) => value !== undefined)),
    rssBytes: first === undefined || last === undefined ? undefined : [first.rssBytes, last.rssBytes],
  };
}

function cpuPerThousand({ operations, before, after }: Round): number | undefined {
  return before === undefined || after === undefined ? undefined : ((after.cpuSeconds - before.cpuSeconds) / operations) * 1000;
}

export interface TimedWork {
  readonly serverPid: number | undefined;
  /** Does the work; answers how much it was and how long each took. */
  readonly work: () => Promise<{ readonly operations: number; readonly latenciesMs: readonly number[] }>;
}

/** Times one piece of work, and reads what the server used for it. */
export async function timeRound({ serverPid, work }: TimedWork): Promise<Round> {
  const usage = () => (serverPid === undefined ? undefined : usageOf(serverPid));
  const before = usage();
  const start = performance.now();
  const { operations, latenciesMs } = await work();
  const seconds = (performance.now() - start) / 1000;
  return { operations, latenciesMs, seconds, before, after: usage() };
}

export interface ClosedLoop {
  readonly connections: readonly Connection[];
  /** Stop after so long; default: when `operation` says that there is no more. */
  readonly seconds?: number;
  /** One checked call; `index` counts up across all connections. `undefined` when there is nothing left to do. */
  readonly operation: (connection: Connection, index: number, worker: number) => Promise<void> | undefined;
}

/** Every connection sends its next request when the one before is answered. */
export async function closedLoop({ connections, seconds, operation }: ClosedLoop): Promise<{ operations: number; latenciesMs: number[] }> {
  const latenciesMs: number[] = [];
  const endAt = seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000;
  let next = 0;
  await Promise.all(
    connections.map(async (connection, worker) => {
      for (let startedAt = performance.now(); startedAt < endAt; ) {
        const answered = operation(connection, next++, worker);
        if (answered === undefined) return;
        await answered;
        const now = performance.now();
        latenciesMs.push(now - startedAt);
        startedAt = now;
      }
    }),
  );
  return { operations: latenciesMs.length, latenciesMs };
}
