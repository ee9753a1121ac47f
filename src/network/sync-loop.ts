// The loop of a component that keeps the kernel as the objects want it: it looks again whenever something has changed, and
// after a failure with growing delays.
import { Backoff, type Clock, type Logger } from "../base/index.ts";

export interface SyncLoopOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is logged with each failure. */
  readonly failure: string;
  /** Called after a failure, before the next try. */
  readonly onFailure?: () => void;
}

export class SyncLoop {
  readonly #options: SyncLoopOptions;
  #isDirty = true;
  #resume: () => void = () => {};

  constructor(options: SyncLoopOptions) {
    this.#options = options;
  }

  /** Something has changed: `sync` runs again, once for all changes until then. */
  wake(): void {
    this.#isDirty = true;
    this.#resume();
  }

  /** Runs `sync` at once and then after each change, never twice at a time, until the signal aborts. */
  async run(sync: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, logger, failure, onFailure } = this.#options;
    const backoff = new Backoff<"sync">(clock, { initialMs: 100, maxMs: 30_000 });
    signal.addEventListener("abort", () => this.#resume(), { once: true });
    while (!signal.aborted) {
      try {
        this.#isDirty = false;
        await sync(signal);
        backoff.reset("sync");
        await this.#change(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.error(failure, { error: String(error) });
        onFailure?.();
        await clock.sleep(backoff.next("sync"), signal).catch(() => {});
      }
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    if (this.#isDirty || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }
}
