// Time as a constructor argument: everything that waits or reads the time gets a Clock.
// The real one is made in src/cmd; tests and simulations use VirtualClock.

/** A pending timer. */
export interface Timer {
  /** Forgets the timer; harmless when it has fired. */
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time in milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. Use it for durations and deadlines. */
  monotonic(): number;
  /** Calls `fire` once after `delayMs`. */
  setTimeout(fire: () => void, delayMs: number): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** `sleep` for clocks that have only a `setTimeout`. */
export function sleepWith(clock: Pick<Clock, "setTimeout">, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The wall-clock time in the form of metav1.Time: RFC 3339, whole seconds, UTC. */
export function timestamp(clock: Pick<Clock, "now">): string {
  return formatTime(clock.now());
}

/** The last second that was asked for: mostly it is the next one, too. */
let lastSecond = { second: Number.NaN, text: "" };

/** Milliseconds since 1970 as metav1.Time: `2026-01-02T03:04:05Z`. */
export function formatTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== lastSecond.second) lastSecond = { second, text: `${new Date(epochMs).toISOString().slice(0, 19)}Z` };
  return lastSecond.text;
}

/** Milliseconds since 1970 as metav1.MicroTime: `2026-01-02T03:04:05.000000Z`. */
export function formatMicroTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 23)}000Z`;
}
