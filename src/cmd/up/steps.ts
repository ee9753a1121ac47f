// Runs steps in order, each with a deadline, and tells someone how far it is. Steps of one group run at the same time.
import type { Clock } from "../../base/index.ts";

export interface Step {
  /** What is being done, in the imperative of a log line: `start containerd`. */
  readonly title: string;
  readonly deadlineMs: number;
  run(signal: AbortSignal): Promise<void>;
}

export interface StepReporter {
  started(step: Step): void;
  finished(step: Step, durationMs: number): void;
  failed(step: Step, error: unknown): void;
}

export interface RunStepsOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly reporter: StepReporter;
}

/** A step that did not end in time. */
export class StepTimeout extends Error {
  readonly code = "STEP_TIMEOUT";

  constructor(step: Step) {
    super(`${step.title}: not done within ${step.deadlineMs / 1000} s`);
    this.name = "StepTimeout";
  }
}

/** Rejects with the first failure, after all steps of its group have ended. */
export async function runSteps(groups: readonly (readonly Step[])[], options: RunStepsOptions): Promise<void> {
  for (const group of groups) {
    const outcomes = await Promise.allSettled(group.map((step) => runStep(step, options)));
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }
}

async function runStep(step: Step, { clock, signal, reporter }: RunStepsOptions): Promise<void> {
  const deadline = new AbortController();
  const timer = clock.setTimeout(() => deadline.abort(new StepTimeout(step)), step.deadlineMs);
  const startedMs = clock.monotonic();
  reporter.started(step);
  try {
    await step.run(AbortSignal.any([signal, deadline.signal]));
    reporter.finished(step, clock.monotonic() - startedMs);
  } catch (error) {
    reporter.failed(step, error);
    throw error;
  } finally {
    timer.cancel();
  }
}
