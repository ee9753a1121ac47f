import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { runSteps, type Step, type StepReporter, StepTimeout } from "./steps.ts";

function journal(): StepReporter & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    started: (step) => lines.push(`started ${step.title}`),
    finished: (step, durationMs) => lines.push(`finished ${step.title} ${durationMs}`),
    failed: (step, error) => lines.push(`failed ${step.title} ${String(error)}`),
  };
}

function sleeping(clock: VirtualClock, title: string, durationMs: number): Step {
  return { title, deadlineMs: 1000, run: (signal) => clock.sleep(durationMs, signal) };
}

test("groups run one after the other, the steps of a group together", async () => {
  const clock = new VirtualClock();
  const reporter = journal();
  const groups = [[sleeping(clock, "a", 20), sleeping(clock, "b", 10)], [sleeping(clock, "c", 5)]];
  const done = runSteps(groups, { clock, reporter, signal: new AbortController().signal });
  await clock.advance(100);
  await done;
  assert.deepEqual(reporter.lines, ["started a", "started b", "finished b 10", "finished a 20", "started c", "finished c 5"]);
});

test("a step over its deadline is aborted, and no later group starts", async () => {
  const clock = new VirtualClock();
  const reporter = journal();
  const groups = [[sleeping(clock, "slow", 5000)], [sleeping(clock, "never", 1)]];
  const done = assert.rejects(
    runSteps(groups, { clock, reporter, signal: new AbortController().signal }),
    (error: unknown) => error instanceof StepTimeout && error.message === "slow: not done within 1 s",
  );
  await clock.advance(1000);
  await done;
  assert.deepEqual(reporter.lines, ["started slow", "failed slow StepTimeout: slow: not done within 1 s"]);
});
