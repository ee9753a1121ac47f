import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BatchSteps, scheduleBatch } from "./batch-cycle.ts";
import type { NodeInfo } from "./cluster/node-info.ts";
import type { PodBatch, QueuedPod } from "./framework/plugin.ts";
import type { Failure } from "./placement/placer.ts";
import { testPodInfo } from "./scheduler.fixture.ts";

const plugin = { name: "Gang" };
const node = { name: "n1" } as NodeInfo;
const uid = (name: string) => `default/${name}`;
const queuedPod = (name: string): QueuedPod => ({ info: testPodInfo({ name }), queuedAtMs: 0, attempts: 1 });

interface Room {
  /** How many pods find a node. */
  readonly places: number;
  /** In the queue beside the first. */
  readonly waiting?: readonly string[];
  readonly breaks?: boolean;
}

/** What an attempt with pods a, b, c of which `needed` must find a node does, step by step. */
async function attempt(needed: number, { places, waiting = ["b", "c"], breaks = false }: Room): Promise<string[]> {
  const log: string[] = [];
  let taken = 0;
  const say = (what: string, { info }: QueuedPod) => void log.push(`${what} ${info.pod.metadata.name}`);
  const steps: BatchSteps = {
    take: (id) => waiting.filter((name) => uid(name) === id).map(queuedPod)[0],
    compare: (a, b) => (a.info.uid < b.info.uid ? -1 : 1),
    find: () => {
      if (breaks && taken === 1) throw new Error("broken");
      return taken < places ? node : { rejections: [{ node, plugin, rejection: { reasons: ["full"], isUnresolvable: false } }] };
    },
    assume: () => {
      taken++;
      return undefined;
    },
    release: (queued) => say("release", queued),
    bind: (queued) => say("bind", queued),
    fail: async (queued, { refused, rejections }: Failure, { isFinal } = { isFinal: false }) =>
      void log.push(
        `fail ${queued.info.pod.metadata.name}${isFinal ? "!" : ""}: ${(refused?.rejection ?? rejections[0]?.rejection)?.reasons[0]}`,
      ),
    giveBack: (queued) => say("give back", queued),
  };
  const settled = (failure: string | undefined) => void log.push(failure === undefined ? "scheduled" : "unschedulable");
  const batch: PodBatch = { pending: ["a", "b", "c"].map(uid), needed, settled };
  await scheduleBatch(queuedPod("a"), { plugin, batch }, steps);
  return log;
}

describe("scheduleBatch", () => {
  it("binds all that found a node when they are enough, and the others have failed by themselves", async () => {
    assert.deepEqual(await attempt(3, { places: 3 }), ["scheduled", "bind a", "bind b", "bind c"]);
    assert.deepEqual(await attempt(2, { places: 2 }), ["scheduled", "bind a", "bind b", "fail c: full"]);
  });

  it("gives all places back when they are not enough", async () => {
    const why = "minCount (3) cannot be satisfied: 2 scheduled, 0 remaining";
    assert.deepEqual(await attempt(3, { places: 2 }), [
      "release b",
      "release a",
      "unschedulable",
      "fail c!: full",
      `fail a!: ${why}`,
      `fail b!: ${why}`,
    ]);
  });

  it("ends when the pods that are left cannot be enough", async () => {
    const why = "minCount (3) cannot be satisfied: 0 scheduled, 2 remaining";
    assert.deepEqual(await attempt(3, { places: 0 }), ["unschedulable", "fail a!: full", `fail b!: ${why}`, `fail c!: ${why}`]);
    const missing = "minCount (3) cannot be satisfied: 0 scheduled, 2 remaining";
    assert.deepEqual(await attempt(3, { places: 3, waiting: ["b"] }), ["unschedulable", `fail a!: ${missing}`, `fail b!: ${missing}`]);
  });

  it("gives back all when an attempt breaks off", async () => {
    assert.deepEqual(await attempt(3, { places: 3, breaks: true }), ["release a", "give back a", "give back b", "give back c"]);
  });
});
