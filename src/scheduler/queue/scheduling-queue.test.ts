import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { wakesOn } from "../framework/events.ts";
import type { Plugin } from "../framework/plugin.ts";
import { nodeResourcesFit } from "../plugins/node-resources-fit.ts";
import { prioritySort } from "../plugins/priority-sort.ts";
import { schedulingGates } from "../plugins/scheduling-gates.ts";
import { taintToleration } from "../plugins/taint-toleration.ts";
import { testNode, testPod, testPodInfo } from "../scheduler.fixture.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";

const info = (name: string, priority = 0) => testPodInfo({ name, spec: { priority } });
const uid = (name: string) => `default/${name}`;

function make() {
  const clock = new VirtualClock();
  const queue = new SchedulingQueue({
    clock,
    onReady: () => {},
    compare: prioritySort.compare ?? (() => 0),
    preEnqueue: (pod) => (schedulingGates.preEnqueue?.(pod) === undefined ? undefined : schedulingGates),
  });
  const attempt = (name: string) => {
    queue.add(info(name));
    const popped = queue.pop();
    assert.equal(popped?.info.uid, uid(name));
    return popped;
  };
  return { clock, queue, attempt };
}

describe("SchedulingQueue", () => {
  it("hands out by priority, then by age", async () => {
    const { clock, queue } = make();
    queue.add(info("old"));
    await clock.advance(10);
    queue.add(info("young"));
    queue.add(info("important", 100));
    const order = [queue.pop(), queue.pop(), queue.pop(), queue.pop()].map((popped) => popped?.info.uid);
    assert.deepEqual(order, [uid("important"), uid("old"), uid("young"), undefined]);
  });

  it("wakes a rejected pod only for an event that its rejecting plug-ins ask for", async () => {
    const { queue, attempt } = make();
    queue.addUnschedulable(attempt("a"), [nodeResourcesFit()]);
    queue.wake("NodeUpdateTaint", { new: testNode("n") });
    assert.equal(queue.pop(), undefined);
    queue.wake("AssignedPodDelete", { old: testPod() });
    assert.equal(queue.pop()?.attempts, 2);
  });

  it("asks the plug-in's hint whether the change helps this pod", () => {
    const { queue, attempt } = make();
    queue.addUnschedulable(attempt("a"), [taintToleration]);
    queue.wake("NodeUpdateTaint", { new: testNode("n", { taints: [{ key: "other", effect: "NoSchedule" }] }) });
    assert.equal(queue.hasReady, false);
    queue.wake("NodeUpdateTaint", { new: testNode("n") });
    assert.equal(queue.pop()?.info.uid, uid("a"));
  });

  it("lets pods in back-off wait only while others are ready", async () => {
    const { clock, queue, attempt } = make();
    queue.addUnschedulable(attempt("woken"), [nodeResourcesFit()]);
    queue.wake("AssignedPodDelete", { old: testPod() });
    await clock.advance(10);
    queue.add(info("fresh"));
    assert.deepEqual([queue.pop()?.info.uid, queue.pop()?.info.uid], [uid("fresh"), uid("woken")]);
  });

  it("tries a woken pod at once when its back-off is over", async () => {
    const { clock, queue, attempt } = make();
    queue.addUnschedulable(attempt("woken"), [nodeResourcesFit()]);
    await clock.advance(1000);
    queue.wake("AssignedPodDelete", { old: testPod() });
    queue.add(info("fresh"));
    assert.equal(queue.pop()?.info.uid, uid("woken"));
  });

  it("doubles the back-off after errors up to ten seconds", async () => {
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
    const { clock, queue, attempt } = make();
    queue.addUnschedulable(attempt("a"), [taintToleration]);
    await clock.advance(299_999);
    assert.equal(queue.hasReady, false);
    await clock.advance(1);
    assert.equal(queue.hasReady, true);
  });

  it("holds a pod back until its last scheduling gate is gone", () => {
    const { queue } = make();
    const gated = testPodInfo({ name: "a", spec: { schedulingGates: [{ name: "one" }, { name: "two" }] } });
    queue.add(gated);
    assert.equal(queue.hasReady, false);
    queue.update(testPodInfo({ name: "a", spec: { schedulingGates: [{ name: "two" }] } }), {});
    assert.equal(queue.hasReady, false);
    queue.update(testPodInfo({ name: "a" }), {});
    assert.equal(queue.pop()?.info.uid, uid("a"));
  });

  it("does not lose events that come while a pod is in flight", () => {
    const { queue, attempt } = make();
    const inFlight = attempt("a");
    queue.wake("AssignedPodDelete", { old: testPod() });
    queue.addUnschedulable(inFlight, [nodeResourcesFit()]);
    assert.equal(queue.pop()?.attempts, 2);
  });

  it("tries a pod again that was in flight for longer than events are remembered", () => {
    const { queue, attempt } = make();
    const [long, short] = [attempt("long"), attempt("short")];
    for (let count = 0; count < 10_000; count++) queue.wake("NodeUpdateTaint", { new: testNode("n") });
    queue.addUnschedulable(long, [nodeResourcesFit()]);
    assert.equal(queue.pop()?.info.uid, uid("long"));
    queue.delete(uid("short"));
    queue.addUnschedulable(short, [nodeResourcesFit()]);
    assert.equal(queue.pop(), undefined);
  });

  it("takes a change of the waiting pod itself for an event", () => {
    const { queue, attempt } = make();
    const never: Plugin = { name: "Never" };
    queue.addUnschedulable(attempt("a"), [never]);
    queue.update(info("a"), {});
    assert.equal(queue.hasReady, false);
    queue.addUnschedulable(attempt("b"), [taintToleration]);
    queue.update(testPodInfo({ name: "b", spec: { tolerations: [{ operator: "Exists" }] } }), {});
    assert.deepEqual(queue.pop()?.info.pod.spec?.tolerations, [{ operator: "Exists" }]);
  });

  it("forgets a deleted pod wherever it waits, also in flight", async () => {
    const { clock, queue, attempt } = make();
    const waiting = attempt("waiting");
    queue.addBackoff(waiting);
    queue.delete(uid("waiting"));
    const inFlight = attempt("in-flight");
    queue.delete(uid("in-flight"));
    queue.addUnschedulable(inFlight, [nodeResourcesFit()]);
    queue.add(info("ready"));
    queue.delete(uid("ready"));
    await clock.advance(600_000);
    assert.deepEqual([queue.pop(), queue.length, queue.hasReady], [undefined, 0, false]);
  });

  it("asks PreEnqueue again when an event happens that the plug-in holding a pod back waits for", () => {
    const waiting = new Set([uid("held")]);
    const gate: Plugin = { name: "Gate", wakesOn: wakesOn("UnscheduledPodAdd") };
    const preEnqueue = (pod: PodInfo) => (waiting.has(pod.uid) ? gate : undefined);
    const queue = new SchedulingQueue({ clock: new VirtualClock(), onReady: () => {}, compare: () => 0, preEnqueue });
    queue.add(info("held"));
    queue.wake("UnscheduledPodAdd", { new: testPod() });
    assert.equal(queue.hasReady, false);
    waiting.clear();
    queue.wake("NodeAdd", { new: testNode("n") });
    assert.equal(queue.hasReady, false);
    queue.wake("UnscheduledPodAdd", { new: testPod() });
    assert.equal(queue.pop()?.info.uid, uid("held"));
  });

  it("gives a pod out of turn, unless it is held back or backs off after an error", () => {
    const { queue, attempt } = make();
    queue.addUnschedulable(attempt("rejected"), [nodeResourcesFit()]);
    const failed = attempt("failed");
    assert.ok(failed !== undefined);
    queue.addBackoff(failed);
    queue.add(info("ready"));
    queue.add(testPodInfo({ name: "held", spec: { schedulingGates: [{ name: "g" }] } }));
    const taken = ["rejected", "failed", "ready", "held", "unknown"].map((name) => queue.take(uid(name))?.info.uid);
    assert.deepEqual(taken, [uid("rejected"), undefined, uid("ready"), undefined, undefined]);
    assert.equal(queue.pop(), undefined);
  });
});
