import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { silentLogger } from "../../base/index.ts";
import { Interrupted } from "../system/signals.ts";
import { MachineStop } from "./machine-stop.ts";

/** What happens after a signal: whether pods were ended, and whether the agent waited for them. */
async function stopBy(name: NodeJS.Signals, isSystemStopping: boolean) {
  const asked = new AbortController();
  const stop = new MachineStop(asked.signal, silentLogger, async () => isSystemStopping);
  const pods = Promise.withResolvers<void>();
  let isEndingPods = false;
  stop.beforeShutdown(() => {
    isEndingPods = true;
    return pods.promise;
  });
  asked.abort(new Interrupted(name));
  await turn();
  const hasWaited = !stop.signal.aborted;
  pods.resolve();
  await turn();
  return { isEndingPods, hasWaited, hasEnded: stop.signal.aborted };
}

test("an agent that is asked to stop leaves its pods running", async () => {
  assert.deepEqual(await stopBy("SIGTERM", false), { isEndingPods: false, hasWaited: false, hasEnded: true });
});

test("an agent whose machine is shut down ends its pods first", async () => {
  assert.deepEqual(await stopBy("SIGTERM", true), { isEndingPods: true, hasWaited: true, hasEnded: true });
  assert.deepEqual(await stopBy("SIGPWR", false), { isEndingPods: true, hasWaited: true, hasEnded: true });
});

test("an agent ends although its pods cannot be ended", async () => {
  const asked = new AbortController();
  const stop = new MachineStop(asked.signal, silentLogger, async () => true);
  stop.beforeShutdown(() => Promise.reject(new Error("no runtime")));
  asked.abort(new Interrupted("SIGTERM"));
  await turn();
  assert.equal(stop.signal.aborted, true);
});
