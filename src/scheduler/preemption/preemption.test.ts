import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PodDisruptionBudget } from "../../api/types/policy/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { Extender, PreemptionAnswer } from "../profile/extender.ts";
import { TestCluster, testNode, testPodInfo } from "../scheduler.fixture.ts";
import { askAboutPreemption } from "./ask-about-preemption.ts";
import { chooseCandidate } from "./choose-candidate.ts";
import { type Candidate, selectVictims, splitByBudgets, type VictimSearch } from "./victims.ts";

function pod(name: string, priority: number, shape: { cpu?: string; app?: string; spec?: object } = {}): PodInfo {
  const { cpu = "1", app = name, spec = {} } = shape;
  return testPodInfo({ name, labels: { app }, requests: { cpu }, spec: { priority, ...spec } });
}

function budget(app: string, disruptionsAllowed: number): DeepReadonly<PodDisruptionBudget> {
  const metadata = { name: app, namespace: "default" };
  const status = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed };
  return { metadata, spec: { selector: { matchLabels: { app } } }, status };
}

/** Nodes "n0", "n1", … with those pods; started in the order in which they are listed. */
function setUp(...nodes: readonly (readonly PodInfo[])[]) {
  const test = new TestCluster({ nodes: nodes.map((_, index) => testNode(`n${index}`, { cpu: "4", memory: "100Gi" })) });
  for (const [index, pods] of nodes.entries()) for (const each of pods) test.cluster.setPod(each, `n${index}`);
  const order = nodes.flat().map(({ uid }) => uid);
  const startedAtMs = ({ uid }: PodInfo) => order.indexOf(uid);
  const search = (incoming: PodInfo, budgets: VictimSearch["budgets"] = []): VictimSearch => ({
    cluster: test.cluster,
    budgets,
    startedAtMs,
    rejectionOn: (node) => test.placer.rejectionOn(incoming, node),
  });
  const victimsOn = (name: string, incoming: PodInfo, budgets: VictimSearch["budgets"] = []) => {
    const node = test.cluster.node(name);
    assert.ok(node);
    return selectVictims(incoming, node, search(incoming, budgets));
  };
  return { test, victimsOn, startedAtMs };
}

function names(outcome: ReturnType<typeof selectVictims>): string[] {
  return "victims" in outcome ? outcome.victims.map(({ pod: { metadata } }) => metadata.name ?? "") : [...outcome.reasons];
}

describe("victims of preemption", () => {
  it("are as few and as unimportant as will do, and the node stays as it was", () => {
    const { test, victimsOn } = setUp([pod("low", 1), pod("mid", 5), pod("high", 8), pod("late-low", 1)]);
    const before = test.cluster.node("n0")?.generation;
    assert.deepEqual(names(victimsOn("n0", pod("in", 10))), ["late-low"]);
    assert.deepEqual(names(victimsOn("n0", pod("in", 10, { cpu: "3" }))), ["mid", "low", "late-low"]);
    assert.equal(test.cluster.node("n0")?.cpuMilli, 4000);
    assert.equal(test.cluster.node("n0")?.generation, before);
  });

  it("are never of the same or a higher priority", () => {
    const { victimsOn } = setUp([pod("same", 10, { cpu: "4" })]);
    assert.deepEqual(names(victimsOn("n0", pod("in", 10))), ["No preemption victims found for incoming pod"]);
  });

  it("would not help when the pod does not fit even without them", () => {
    const { victimsOn } = setUp([pod("same", 10, { cpu: "3" }), pod("low", 1)]);
    assert.deepEqual(names(victimsOn("n0", pod("in", 10, { cpu: "2" }))), ["Insufficient cpu"]);
  });

  it("are taken where no budget protects them, if that is enough", () => {
    const { victimsOn } = setUp([pod("guarded", 1, { cpu: "2" }), pod("free", 5, { cpu: "2" })]);
    const outcome = victimsOn("n0", pod("in", 10, { cpu: "2" }), [budget("guarded", 0)]);
    assert.deepEqual(names(outcome), ["free"]);
    const both = victimsOn("n0", pod("in", 10, { cpu: "4" }), [budget("guarded", 0)]);
    assert.equal("violations" in both ? both.violations : undefined, 1);
  });

  it("include pods whose anti-affinity keeps the new one away", () => {
    const podAntiAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "in" } } },
      ],
    };
    const { victimsOn } = setUp([pod("hermit", 1, { spec: { affinity: { podAntiAffinity } } }), pod("neighbour", 0)]);
    assert.deepEqual(names(victimsOn("n0", pod("in", 10))), ["hermit"]);
  });

  it("are counted against a budget one by one", () => {
    const pods = [pod("a", 1, { app: "x" }), pod("b", 1, { app: "x" }), pod("c", 1, { app: "y" })];
    const { violating, others } = splitByBudgets(pods, [budget("x", 1)]);
    assert.deepEqual([names({ victims: violating } as unknown as Candidate), others.length], [["b"], 2]);
  });
});

describe("the node to make room on", () => {
  const choose = (...nodes: readonly { readonly victims: readonly PodInfo[]; readonly violations?: number }[]) => {
    const { test, startedAtMs } = setUp(...nodes.map(({ victims }) => victims));
    const candidates = nodes.flatMap(({ victims, violations = 0 }, index) => {
      const node = test.cluster.node(`n${index}`);
      return node === undefined ? [] : [{ node, victims, violations }];
    });
    return chooseCandidate(candidates, startedAtMs)?.node.name;
  };

  it("is the one that breaks fewest budgets", () => {
    assert.equal(choose({ victims: [pod("a", 1)], violations: 1 }, { victims: [pod("b", 9)] }), "n1");
  });

  it("is then the one whose most important victim is least important", () => {
    assert.equal(choose({ victims: [pod("a", 5)] }, { victims: [pod("b", 4), pod("c", 4)] }), "n1");
  });

  it("is then the one with the smallest sum of priorities", () => {
    assert.equal(choose({ victims: [pod("a", 5), pod("b", 4)] }, { victims: [pod("c", 5), pod("d", 1)] }), "n1");
  });

  it("is then the one with fewest victims, and the one whose victims started last", () => {
    assert.equal(choose({ victims: [pod("a", 5), pod("b", -5)] }, { victims: [pod("c", 5)] }), "n1");
    assert.equal(choose({ victims: [pod("a", 5)] }, { victims: [pod("b", 5)] }), "n1");
  });
});

describe("extenders that are asked about preemption", () => {
  const signal = new AbortController().signal;
  const { test } = setUp([pod("a", 1), pod("b", 2)], [pod("c", 3)]);
  const candidates = [...test.cluster.nodes()].map(
    (node): Candidate => ({ node, victims: [...node.pods.values()].slice(0, 1), violations: 1 }),
  );
  const extender = (answers: readonly Partial<PreemptionAnswer>[] | Error, isIgnorable = false): Extender => ({
    name: "http://extender",
    isIgnorable,
    isInterested: () => true,
    preempt: async () => {
      if (answers instanceof Error) throw answers;
      return answers.map((answer) => ({ nodeName: "n0", victimUids: ["default/a"], violations: 0, ...answer }));
    },
  });
  const left = async (...extenders: readonly Extender[]) => {
    const found = await askAboutPreemption(extenders, { pod: pod("in", 10), candidates }, signal);
    return found.map(({ node, victims }) => [node.name, ...victims.map(({ uid }) => uid)].join(" "));
  };

  it("strike candidates and choose other victims, one extender after the other", async () => {
    assert.deepEqual(await left(extender([{ victimUids: ["default/b"] }])), ["n0 default/b"]);
    const seen: number[] = [];
    const second: Extender = {
      ...extender([]),
      preempt: async (_, some) => {
        seen.push(some.length);
        return [];
      },
    };
    assert.deepEqual(await left(extender([{}]), second), []);
    assert.deepEqual(seen, [1]);
  });

  it("may fail only when they may be ignored", async () => {
    await assert.rejects(left(extender(new Error("down"))), /down/);
    assert.deepEqual(await left(extender(new Error("down"), true)), ["n0 default/a", "n1 default/c"]);
  });

  it("must name victims that are there", async () => {
    await assert.rejects(left(extender([{ victimUids: [] }])), { message: 'expected at least one victim pod on node "n0"' });
    assert.deepEqual(await left(extender([{ victimUids: [] }], true)), []);
    await assert.rejects(left(extender([{ victimUids: ["x"] }])), {
      message: "extender: http://extender claims to preempt pod (UID: x) on node: n0, but the pod is not found on that node",
    });
  });
});
