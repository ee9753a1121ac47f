// How long a container that ended waits for its next start: 10 s doubling to 5 min, as data.

export interface RestartBackoff {
  readonly delayMs: number;
  /** When the delay was set: the time of the last start. */
  readonly setAtMs: number;
}

const INITIAL_MS = 10_000;
export const MAX_RESTART_BACKOFF_MS = 300_000;
/** A container that ran this long after its last start begins anew. */
const RESET_AFTER_MS = 2 * MAX_RESTART_BACKOFF_MS;

function isExpired(backoff: RestartBackoff, endedAtMs: number): boolean {
  return endedAtMs - backoff.setAtMs > RESET_AFTER_MS;
}

/** When the container that ended at `endedAtMs` may start again; undefined: now. */
export function restartAt(backoff: RestartBackoff | undefined, endedAtMs: number, nowMs: number): number | undefined {
  if (backoff === undefined || isExpired(backoff, endedAtMs)) return undefined;
  // The clock was set back: nobody knows how long it has waited.
  if (nowMs < endedAtMs) return undefined;
  const atMs = endedAtMs + backoff.delayMs;
  return nowMs < atMs ? atMs : undefined;
}

/** The back-off after one more start of a container that had ended at `endedAtMs`. */
export function nextBackoff(backoff: RestartBackoff | undefined, endedAtMs: number, nowMs: number): RestartBackoff {
  if (backoff === undefined || isExpired(backoff, endedAtMs)) return { delayMs: INITIAL_MS, setAtMs: nowMs };
  return { delayMs: Math.min(backoff.delayMs * 2, MAX_RESTART_BACKOFF_MS), setAtMs: nowMs };
}
