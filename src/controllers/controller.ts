// The shape of every controller: made with a context, it asks for its informers; run, it works until the signal aborts.
import type { Clock, Logger, Random } from "../base/index.ts";
import { type Client, type EventRecorder, type InformerSource, type ReconcileResult, runWorkers, type WorkQueue } from "../client/index.ts";

export interface ControllerContext {
  /** Acts as the controller's own service account. */
  readonly client: Client;
  readonly informers: InformerSource;
  readonly recorder: Pick<EventRecorder, "event">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface Controller {
  /** Such as `replicaset-controller`. */
  readonly name: string;
  /** Works until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface KeyedControllerOptions {
  readonly name: string;
  readonly context: ControllerContext;
  readonly queue: WorkQueue<string>;
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined>;
  /** How many keys are reconciled at once. Default 5. */
  readonly concurrency?: number;
}

/** A controller that reconciles keys from one queue, once the informers have synced. */
export function keyedController({ name, context, queue, reconcile, concurrency = 5 }: KeyedControllerOptions): Controller {
  return {
    name,
    run: async (signal) => {
      try {
        await context.informers.waitForSync(signal);
      } catch (error) {
        if (!signal.aborted) throw error;
        return;
      }
      await runWorkers({ queue, concurrency, reconcile, logger: context.logger, signal, name });
    },
  };
}
