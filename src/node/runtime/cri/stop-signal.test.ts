import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../../base/index.ts";
import type { RuntimeCall } from "./pod-lister.ts";
import { SignalStopper, signalMessage, signalNumber } from "./stop-signal.ts";

test("signals have CRI's names and Linux's numbers", () => {
  assert.equal(signalMessage("SIGUSR1"), "SIGNAL_SIGUSR1");
  assert.equal(signalMessage("SIGRTMAX-3"), "SIGNAL_SIGRTMAXMINUS3");
  assert.deepEqual(["SIGUSR1", "SIGCLD", "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-1", "SIGNONE"].map(signalNumber), [
    10,
    17,
    34,
    37,
    63,
    undefined,
  ]);
});

/** A runtime with a container that ends so long after a signal; answers what was sent, and when asking was over. */
async function ask({ known = "SIGNAL_RUNTIME_DEFAULT", endsAfterMs = 100 }: { readonly known?: string; readonly endsAfterMs?: number }) {
  const clock = new VirtualClock();
  const sent: (readonly [number, number])[] = [];
  const call: RuntimeCall = async <R>(method: string) => {
    if (method === "ContainerStatus") {
      return { status: { stopSignal: known, state: "CONTAINER_RUNNING" }, info: { info: JSON.stringify({ pid: 77 }) } } as R;
    }
    const hasEnded = sent.length > 0 && clock.monotonic() >= endsAfterMs;
    return { containers: [{ state: hasEnded ? "CONTAINER_EXITED" : "CONTAINER_RUNNING" }] } as R;
  };
  const stopper = new SignalStopper(call, clock, (pid, signal) => sent.push([pid, signal]));
  let isAsked: boolean | undefined;
  let endedMs: number | undefined;
  void stopper.ask("c", { stopSignal: "SIGUSR1", graceSeconds: 2 }).then((answer) => {
    isAsked = answer;
    endedMs = clock.monotonic();
  });
  await clock.advance(5_000);
  return { sent, isAsked, endedMs: endedMs ?? Number.NaN };
}

test("a runtime that does not know stop signals has them sent, and the container gets its grace", async () => {
  const obedient = await ask({});
  assert.deepEqual([obedient.sent, obedient.isAsked], [[[77, 10]], true]);
  assert.ok(obedient.endedMs < 300, "it is over soon after the container has ended");
  assert.equal((await ask({ endsAfterMs: 60_000 })).endedMs, 2_000);
});

test("a runtime that knows the signal is left to send it", async () => {
  assert.deepEqual(await ask({ known: "SIGNAL_SIGUSR1" }), { sent: [], isAsked: false, endedMs: 0 });
});
