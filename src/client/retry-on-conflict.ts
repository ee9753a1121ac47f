// Tries a read-change-write again when someone else wrote in between.
import type { Clock, Random } from "../base/index.ts";
import { isConflict } from "../machinery/index.ts";

export interface RetryOptions {
  readonly clock: Pick<Clock, "sleep">;
  readonly random: Random;
  readonly signal?: AbortSignal;
}

/** client-go's DefaultRetry: five tries, about 10 ms apart. */
const TRIES = 5;
const PAUSE_MS = 10;
const JITTER = 0.1;

/** Calls `attempt` (which must read afresh) until it does not reject with a conflict; the last conflict is passed on. */
export async function retryOnConflict<R>(attempt: () => Promise<R>, { clock, random, signal }: RetryOptions): Promise<R> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || tries === TRIES) throw error;
    }
    await clock.sleep(PAUSE_MS * (1 + JITTER * random.next()), signal);
  }
}
