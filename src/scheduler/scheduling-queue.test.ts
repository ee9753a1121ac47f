import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../api/types/core/v1.ts";
import { VirtualClock } from "../base/index.ts";
import { nodeResourcesFit } from "./plugins/node-resources-fit.ts";
import { taintToleration } from "./plugins/taint-toleration.ts";
import { podInfo } from "./pod-info.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";

const info = (name: string, priority = 0) =>
  podInfo({ metadata: { name, namespace: "default", uid: name }, spec: { containers: [], priority } } as Pod);

function make() {
  const clock = new VirtualClock();
  return { clock, queue: new SchedulingQueue({ clock, onReady: () => {} }) };
}

describe("SchedulingQueue", () => {
  it("hands out by priority, then by age", async () => {
    const { clock, queue } = make();
    queue.add(info("old"));
    await clock.advance(10);
    queue.add(info("young"));
    queue.add(info("important", 100));
    assert.deepEqual(
      [queue.pop()?.info.uid, queue.pop()?.info.uid, queue.pop()?.info.uid, queue.pop()],
      ["important", "old", "young", undefined],
    );
  });

  it("wakes a rejected pod only for an event that its rejecting plugins ask for, after a back-off", async () => {
    const { clock, queue } = make();
    queue.add(info("a"));
    const attempt = queue.pop();
    assert.ok(attempt);
    queue.addUnschedulable(attempt, [nodeResourcesFit]);
    queue.wake("NodeTaintsChanged");
    await clock.advance(20_000);
    assert.equal(queue.pop(), undefined);
    queue.wake("AssignedPodDeleted");
    assert.equal(queue.pop(), undefined);
    await clock.advance(1000);
    assert.equal(queue.pop()?.attempts, 2);
  });

  it("doubles the back-off up to ten seconds", async () => {
    const { clock, queue } = make();
    queue.add(info("a"));
    for (const seconds of [1, 2, 4, 8, 10, 10]) {
      const attempt = queue.pop();
      assert.ok(attempt);
      queue.addBackoff(attempt);
      await clock.advance(seconds * 1000 - 1);
      assert.equal(queue.hasReady, false);
      await clock.advance(1);
    }
  });

  it("tries a pod again after five minutes even when no event came", async () => {
    const { clock, queue } = make();
    queue.add(info("a"));
    const attempt = queue.pop();
    assert.ok(attempt);
    queue.addUnschedulable(attempt, [taintToleration]);
    await clock.advance(299_999);
    assert.equal(queue.hasReady, false);
    await clock.advance(1);
    assert.equal(queue.hasReady, true);
  });

  it("forgets a deleted pod wherever it waits", async () => {
    const { clock, queue } = make();
    queue.add(info("ready"));
    queue.add(info("waiting"));
    queue.delete("ready");
    const attempt = queue.pop();
    assert.equal(attempt?.info.uid, "waiting");
    if (attempt !== undefined) queue.addBackoff(attempt);
    queue.delete("waiting");
    await clock.advance(60_000);
    assert.deepEqual([queue.pop(), queue.length, queue.hasReady], [undefined, 0, false]);
  });
});
