// Gives memory back when a node has become quiet. V8 lets garbage of a burst lie until as much again has come, which on a quiet
// node is never: fifty pods at once leave forty megabytes.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../../base/index.ts";

/** How long nothing must have happened. */
const QUIET_MS = 4_000;
/** Less garbage is not worth the pause, a tenth of a second. */
const WORTH_BYTES = 16 * 2 ** 20;

export interface HeapTidierOptions {
  readonly clock: Clock;
  /** Bytes of the heap that are used, garbage included. */
  readonly used: () => number;
  readonly collect: () => void;
}

export class HeapTidier {
  readonly #options: HeapTidierOptions;
  #stirredAtMs = 0;
  #isWaiting = false;
  /** What was used after the last collection. */
  #tidyBytes = 0;

  constructor(options: HeapTidierOptions) {
    this.#options = options;
  }

  /** Something happened on the node. */
  stir(): void {
    this.#stirredAtMs = this.#options.clock.monotonic();
    if (!this.#isWaiting) this.#wait(QUIET_MS);
  }

  #wait(delayMs: number): void {
    this.#isWaiting = true;
    this.#options.clock.setTimeout(() => this.#look(), delayMs);
  }

  #look(): void {
    const { clock, collect, used } = this.#options;
    const leftMs = this.#stirredAtMs + QUIET_MS - clock.monotonic();
    if (leftMs > 0) {
      this.#wait(leftMs);
      return;
    }
    this.#isWaiting = false;
    if (used() - this.#tidyBytes < WORTH_BYTES) return;
    collect();
    this.#tidyBytes = used();
  }
}

/** V8's collection of all garbage. It is shown only under a flag, which is taken back: compiled code is kept for one set of flags. */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  return () => collect();
}
