import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DaemonSet } from "../../api/types/apps/v1.ts";
import type { Node, Pod, PodSpec, Taint } from "../../api/types/core/v1.ts";
import { daemonPod, targetNodeOf } from "./daemon-pod.ts";
import { type DaemonSnapshot, eligibility, planDaemons, updateLimits } from "./plan.ts";
import { planRollingUpdate } from "./rolling-update.ts";

const HASH = "new";

function set(spec: Partial<PodSpec> = {}, rollingUpdate: object = { maxUnavailable: 1, maxSurge: 0 }): DaemonSet {
  const template = { metadata: { labels: { app: "agent" } }, spec: { containers: [{ name: "c", image: "i" }], ...spec } };
  return {
    metadata: { name: "agent", namespace: "default", uid: "set" },
    spec: { selector: { matchLabels: { app: "agent" } }, template, updateStrategy: { type: "RollingUpdate", rollingUpdate } },
  };
}

const node = (name: string, taints: Taint[] = [], labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels },
  spec: { taints },
});

function pod(name: string, nodeName: string, { hash = HASH, isReady = true, phase = "Running" } = {}): Pod {
  return {
    metadata: { name, uid: name, labels: { "controller-revision-hash": hash } },
    spec: { nodeName, containers: [] },
    status: { phase, conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
  };
}

function snapshot(parts: Partial<DaemonSnapshot>): DaemonSnapshot {
  return { set: set(), nodes: [], pods: [], hash: HASH, nowMs: 0, ...parts };
}

const names = (pods: readonly { readonly metadata: { readonly name?: string | undefined } }[]) => pods.map(({ metadata }) => metadata.name);

describe("where daemons run", () => {
  it("is on nodes that the selector and the affinity admit", () => {
    const chosen = set({ nodeSelector: { disk: "ssd" } });
    assert.deepEqual(eligibility(chosen, node("a", [], { disk: "ssd" })), { shouldRun: true, shouldContinue: true });
    assert.deepEqual(eligibility(chosen, node("b")), { shouldRun: false, shouldContinue: false });
    assert.deepEqual(eligibility(set({ nodeName: "a" }), node("b")), { shouldRun: false, shouldContinue: false });
  });

  it("is not on nodes with other taints, but NoSchedule does not drive a pod out", () => {
    const taint = (effect: string) => node("a", [{ key: "private", effect }]);
    assert.deepEqual(eligibility(set(), taint("NoSchedule")), { shouldRun: false, shouldContinue: true });
    assert.deepEqual(eligibility(set(), taint("NoExecute")), { shouldRun: false, shouldContinue: false });
    assert.deepEqual(eligibility(set(), taint("PreferNoSchedule")), { shouldRun: true, shouldContinue: true });
  });

  it("is on nodes that are cordoned, under pressure or not ready", () => {
    for (const key of ["unschedulable", "disk-pressure", "memory-pressure", "pid-pressure"])
      assert.equal(eligibility(set(), node("a", [{ key: `node.kubernetes.io/${key}`, effect: "NoSchedule" }])).shouldRun, true);
    for (const key of ["not-ready", "unreachable"])
      assert.equal(eligibility(set(), node("a", [{ key: `node.kubernetes.io/${key}`, effect: "NoExecute" }])).shouldRun, true);
    const withoutNetwork = node("a", [{ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }]);
    assert.equal(eligibility(set(), withoutNetwork).shouldRun, false);
    assert.equal(eligibility(set({ hostNetwork: true }), withoutNetwork).shouldRun, true);
  });

  it("stands in the pod as an affinity to the one node, in place of the template's", () => {
    const made = daemonPod(set({ nodeSelector: { disk: "ssd" } }), "a", {
      hash: HASH,
      owner: { apiVersion: "apps/v1", kind: "DaemonSet", name: "agent", uid: "set" },
    });
    assert.equal(targetNodeOf(made), "a");
    assert.deepEqual(made.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms, [
      { matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }] },
    ]);
    assert.equal(made.spec?.tolerations?.length, 6);
  });
});

describe("a daemon set's plan", () => {
  it("makes what is missing and deletes what is too much", () => {
    const plan = planDaemons(snapshot({ nodes: [node("a"), node("b")], pods: [pod("a1", "a"), pod("a2", "a"), pod("gone", "c")] }));
    assert.deepEqual(plan.create, ["b"]);
    assert.deepEqual(names(plan.delete), ["a2"]);
  });

  it("deletes a pod that waits for a node that is gone", () => {
    const owner = { apiVersion: "apps/v1", kind: "DaemonSet", name: "agent", uid: "set" };
    const waiting = { ...daemonPod(set(), "gone", { hash: HASH, owner }), metadata: { name: "waiting" } };
    assert.deepEqual(names(planDaemons(snapshot({ pods: [waiting] })).delete), ["waiting"]);
  });

  it("sets failed and ended pods apart", () => {
    const plan = planDaemons(snapshot({ nodes: [node("a")], pods: [pod("a1", "a", { phase: "Failed" })] }));
    assert.deepEqual([plan.create, plan.delete, names(plan.ended.map((each) => each.pod))], [[], [], ["a1"]]);
  });

  it("rounds percentages of the limits up, and never leaves both at zero", () => {
    assert.deepEqual(updateLimits(set({}, { maxUnavailable: "10%" }), 5), { maxSurge: 0, maxUnavailable: 1 });
    assert.deepEqual(updateLimits(set({}, { maxUnavailable: 0, maxSurge: "30%" }), 5), { maxSurge: 2, maxUnavailable: 0 });
    assert.deepEqual(updateLimits(set({}, { maxUnavailable: "0%", maxSurge: 0 }), 5), { maxSurge: 0, maxUnavailable: 1 });
  });
});

describe("a daemon set's rolling update", () => {
  const nodes = [node("a"), node("b"), node("c")];

  it("replaces old pods that do not work at once, and of the others as many as may be unavailable", () => {
    const old = (name: string, nodeName: string, isReady = true) => pod(name, nodeName, { hash: "old", isReady });
    const working = [old("a1", "a"), old("b1", "b"), old("c1", "c")];
    assert.deepEqual(names(planRollingUpdate(snapshot({ nodes, pods: working })).delete), ["a1"]);
    const oneBroken = [old("a1", "a"), old("b1", "b", false), old("c1", "c")];
    assert.deepEqual(names(planRollingUpdate(snapshot({ nodes, pods: oneBroken })).delete), ["b1"]);
    const oneStarting = [pod("a1", "a", { isReady: false }), old("b1", "b"), old("c1", "c")];
    assert.deepEqual(names(planRollingUpdate(snapshot({ nodes, pods: oneStarting })).delete), []);
  });

  it("surges beside old pods and deletes them when the new ones are available", () => {
    const surging = set({}, { maxSurge: 1, maxUnavailable: 0 });
    const old = (nodeName: string) => pod(`${nodeName}1`, nodeName, { hash: "old" });
    const start = planRollingUpdate(snapshot({ set: surging, nodes, pods: [old("a"), old("b"), old("c")] }));
    assert.deepEqual([start.create, start.delete], [["a"], []]);
    const starting = [old("a"), pod("a2", "a", { isReady: false }), old("b"), old("c")];
    assert.deepEqual(planRollingUpdate(snapshot({ set: surging, nodes, pods: starting })), { create: [], delete: [] });
    const ready = [old("a"), pod("a2", "a"), old("b"), old("c")];
    const next = planRollingUpdate(snapshot({ set: surging, nodes, pods: ready }));
    assert.deepEqual([next.create, names(next.delete)], [["b"], ["a1"]]);
  });
});
