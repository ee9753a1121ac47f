// When actions of a pod that failed are tried again: after two seconds, then each time after twice as long.

const RETRY_MS = 2_000;
const MAX_RETRY_MS = 120_000;

export class ActionRetries {
  readonly #retries = new Map<string, { readonly delayMs: number; readonly atMs: number }>();

  /** The action of this key failed at `nowMs`. */
  failed(key: string, nowMs: number): void {
    const delayMs = Math.min(MAX_RETRY_MS, 2 * (this.#retries.get(key)?.delayMs ?? RETRY_MS / 2));
    this.#retries.set(key, { delayMs, atMs: nowMs + delayMs });
  }

  /** The action may begin at once; answers whether it had to wait. */
  clear(key: string): boolean {
    return this.#retries.delete(key);
  }

  /** The action is done once and for all. */
  never(key: string): void {
    this.#retries.set(key, { delayMs: 0, atMs: Number.POSITIVE_INFINITY });
  }

  /** A time further away than the longest delay was set before the clock was set back: it does not count. */
  times(nowMs: number): ReadonlyMap<string, number> {
    const latestMs = nowMs + MAX_RETRY_MS;
    const entries = [...this.#retries].map(([key, { atMs }]) => [key, atMs] as const);
    return new Map(entries.filter(([, atMs]) => atMs <= latestMs || atMs === Number.POSITIVE_INFINITY));
  }
}
