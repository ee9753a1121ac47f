// Keeps the pod workers in step with the runtime: by its events, and by comparing where events may have been missed.
import type { NodeContext } from "./node-context.ts";
import type { PodRegistry } from "./pod-registry.ts";

const RETRY_MS = 1_000;

export class RuntimeFollower {
  readonly #context: Pick<NodeContext, "runtime" | "clock" | "logger">;
  readonly #pods: Pick<PodRegistry, "compare" | "stir">;

  constructor(context: Pick<NodeContext, "runtime" | "clock" | "logger">, pods: Pick<PodRegistry, "compare" | "stir">) {
    this.#context = context;
    this.#pods = pods;
  }

  /** Compares as soon as the runtime answers, or the signal aborts. What it has must be known before the first object is seen. */
  async compareUntilDone(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#context;
    while (!signal.aborted) {
      try {
        await this.#pods.compare(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("cannot list the runtime's pods", { error });
        await clock.sleep(RETRY_MS, signal).catch(() => {});
      }
    }
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { runtime, clock, logger } = this.#context;
    while (!signal.aborted) {
      try {
        for await (const { podUid } of runtime.events(signal)) void this.#pods.stir(podUid);
      } catch (error) {
        if (!signal.aborted) logger.warn("the runtime's events broke off", { error });
      }
      if (signal.aborted) return;
      await clock.sleep(RETRY_MS, signal).catch(() => {});
      // What happened in between was missed, and what happens until it is listened to again will be.
      await this.compareUntilDone(signal);
      clock.setTimeout(() => void this.#pods.compare(signal).catch(() => {}), RETRY_MS);
    }
  }
}
