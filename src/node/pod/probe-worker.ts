// One probe of one life of a container: when it runs, and from when on its answers count.
import type { Probe } from "../../api/types/core/v1.ts";
import type { Timer } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { NodeContext } from "../node-context.ts";
import type { ProbeTarget } from "../probes/prober.ts";

export type ProbeKind = "Liveness" | "Readiness" | "Startup";

export interface ProbeWorkerOptions {
  readonly context: Pick<NodeContext, "clock" | "prober">;
  readonly kind: ProbeKind;
  readonly probe: DeepReadonly<Probe>;
  readonly target: Omit<ProbeTarget, "timeoutSeconds">;
  readonly startedAtMs: number;
  /** Liveness and readiness wait for the startup probe. */
  readonly canRun: () => boolean;
  /** Called when the verdict changes, and for the first one. */
  readonly onVerdict: (isSuccess: boolean) => void;
  /** Called after every probe. */
  readonly onResult: (result: "successful" | "failed" | "unknown") => void;
  /** Called at every failure. */
  readonly onFailure: (message: string) => void;
}

export class ProbeWorker {
  readonly #options: ProbeWorkerOptions;
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  /** How often in a row the same answer came. */
  #streak = 0;
  #lastAnswer: boolean | undefined;
  #verdict: boolean | undefined;

  constructor(options: ProbeWorkerOptions) {
    this.#options = options;
    const runsForMs = Math.max(0, options.context.clock.now() - options.startedAtMs);
    const delayMs = (options.probe.initialDelaySeconds ?? 0) * 1000 - runsForMs;
    this.#schedule(Math.max(0, delayMs));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#abort.abort();
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#options.context.clock.setTimeout(() => void this.#tick(), delayMs);
  }

  async #tick(): Promise<void> {
    const { probe, canRun, context } = this.#options;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    const startedAtMs = context.clock.monotonic();
    if (canRun()) await this.#probeOnce();
    if (this.#abort.signal.aborted) return;
    this.#schedule(Math.max(0, periodMs - (context.clock.monotonic() - startedAtMs)));
  }

  async #probeOnce(): Promise<void> {
    const { probe, target, kind, context, onFailure, onResult } = this.#options;
    const { signal } = this.#abort;
    try {
      const { result, output } = await context.prober.probe(probe, { ...target, timeoutSeconds: probe.timeoutSeconds ?? 1 }, signal);
      if (signal.aborted) return;
      onResult(result === "success" ? "successful" : result === "failure" ? "failed" : "unknown");
      if (result === "unknown") onFailure(`${kind} probe errored and resulted in unknown state: ${output}`);
      else {
        if (result === "failure") onFailure(`${kind} probe failed: ${output}`);
        this.#count(result === "success");
      }
    } catch (error) {
      if (!signal.aborted)
        onFailure(`${kind} probe errored and resulted in unknown state: ${error instanceof Error ? error.message : error}`);
    }
  }

  #count(isSuccess: boolean): void {
    const { probe, onVerdict } = this.#options;
    this.#streak = this.#lastAnswer === isSuccess ? this.#streak + 1 : 1;
    this.#lastAnswer = isSuccess;
    const threshold = isSuccess ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (this.#streak < threshold || this.#verdict === isSuccess) return;
    this.#verdict = isSuccess;
    onVerdict(isSuccess);
  }
}
