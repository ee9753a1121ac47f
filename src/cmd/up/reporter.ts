// Shows the progress of steps: redrawn lines on a terminal, plain lines elsewhere.
import type { Step, StepReporter } from "./steps.ts";

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One line when a step has ended. */
export function plainReporter(write: (line: string) => void): StepReporter {
  return {
    started: () => {},
    finished: (step, durationMs) => write(`✔ ${step.title} (${Math.round(durationMs)} ms)`),
    failed: (step) => write(`✖ ${step.title}`),
  };
}

/** listr2's live list. Call `close` when no more steps come. */
export async function terminalReporter(steps: readonly Step[]): Promise<StepReporter & { close(): Promise<void> }> {
  const { Listr } = await import("listr2");
  const pending = new Map<Step, Pending>();
  const outcomes = new Map(steps.map((step) => [step, new Promise<void>((resolve, reject) => pending.set(step, { resolve, reject }))]));
  for (const outcome of outcomes.values()) outcome.catch(() => {});
  const tasks = steps.map((step) => ({ title: step.title, task: () => outcomes.get(step) }));
  const list = new Listr(tasks, { concurrent: true, exitOnError: false, rendererOptions: { collapseErrors: false } });
  const shown = list.run();
  return {
    started: () => {},
    finished: (step) => pending.get(step)?.resolve(),
    failed: (step, error) => pending.get(step)?.reject(error),
    close: async () => {
      for (const { resolve } of pending.values()) resolve();
      await shown;
    },
  };
}
