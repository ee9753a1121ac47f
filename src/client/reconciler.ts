// Workers that take keys from a queue and reconcile them. The contract of a reconcile: throwing means again with
// back-off, `TerminalError` means never again for this state, a result may ask for a later look.
import type { Logger } from "../base/index.ts";
import { isConflict } from "../machinery/index.ts";
import type { ReconcileResult } from "./informer-types.ts";
import type { WorkQueue } from "./work-queue.ts";

/** Trying again cannot help until the object changes. */
export class TerminalError extends Error {
  readonly code = "TERMINAL";
}

export interface WorkersOptions<K> {
  readonly queue: WorkQueue<K>;
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  readonly reconcile: (key: K, signal: AbortSignal) => Promise<ReconcileResult | undefined> | Promise<void>;
  readonly logger: Logger;
  /** Stops the workers and shuts the queue down. */
  readonly signal: AbortSignal;
  /** For log lines: the controller's name. */
  readonly name: string;
}

/** Works until the signal aborts; resolves when the reconciles under way have ended. Never rejects. */
export async function runWorkers<K>(options: WorkersOptions<K>): Promise<void> {
  const { queue, signal } = options;
  const stop = () => queue.shutDown();
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  await Promise.all(Array.from({ length: options.concurrency }, () => work(options)));
  signal.removeEventListener("abort", stop);
}

async function work<K>(options: WorkersOptions<K>): Promise<void> {
  const { queue, signal } = options;
  for (let key = await queue.get(); key !== undefined && !signal.aborted; key = await queue.get()) {
    await reconcileOnce(key, options);
    queue.done(key);
  }
}

async function reconcileOnce<K>(key: K, { queue, reconcile, logger, signal, name }: WorkersOptions<K>): Promise<void> {
  try {
    const result = await reconcile(key, signal);
    queue.forget(key);
    if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof TerminalError) {
      queue.forget(key);
      logger.error("reconcile gave up", { controller: name, key, error });
      return;
    }
    queue.addRateLimited(key);
    const fields = { controller: name, key, failures: queue.failures(key), error };
    if (isConflict(error)) logger.debug("reconcile met a conflict", fields);
    else logger.warn("reconcile failed", fields);
  }
}
