import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { askExtenders } from "../placement/ask-extenders.ts";
import { type PodShape, TestCluster, testNode, testPodInfo } from "../scheduler.fixture.ts";
import { schedulerConfiguration } from "./configuration.ts";
import { type Fetch, httpExtender } from "./http-extender.ts";

const head = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" };

function clusterOf(profile: object, ...nodes: ReturnType<typeof testNode>[]) {
  const [first] = schedulerConfiguration({ ...head, profiles: [profile] }).profiles;
  return new TestCluster({ nodes, ...(first === undefined ? {} : { profile: first }) });
}

describe("KubeSchedulerConfiguration", () => {
  it("disables plug-ins at one extension point or at all of them", () => {
    const tainted = testNode("a", { taints: [{ key: "k", effect: "NoSchedule" }] });
    const only = (plugins: object) => clusterOf({ plugins }, tainted).place(testPodInfo());
    assert.equal(only({ filter: { disabled: [{ name: "TaintToleration" }] } }), "a");
    assert.equal(only({ multiPoint: { disabled: [{ name: "TaintToleration" }] } }), "a");
    assert.match(only({ score: { disabled: [{ name: "*" }] } }), /untolerated taint/);
  });

  it("gives plug-ins arguments", () => {
    const pluginConfig = [{ name: "NodeResourcesFit", args: { scoringStrategy: { type: "MostAllocated" } } }];
    const test = clusterOf(
      { pluginConfig, plugins: { score: { disabled: [{ name: "NodeResourcesBalancedAllocation" }] } } },
      testNode("a"),
      testNode("b"),
    );
    const first = test.place(testPodInfo());
    assert.deepEqual([test.place(testPodInfo()), test.place(testPodInfo())], [first, first]);
  });

  it("weighs scores anew", () => {
    const shapes: PodShape = { spec: { nodeSelector: {} } };
    const avoided = testNode("avoided", { taints: [{ key: "k", effect: "PreferNoSchedule" }] });
    const place = (weight: number) => {
      const test = clusterOf({ plugins: { multiPoint: { enabled: [{ name: "NodeResourcesFit", weight }] } } }, avoided, testNode("full"));
      test.cluster.setPod(testPodInfo({ requests: { cpu: "2", memory: "4Gi" } }), "full");
      return test.place(testPodInfo(shapes));
    };
    assert.deepEqual([place(1), place(20)], ["full", "avoided"]);
  });

  it("adds node affinity to all pods of a profile", () => {
    const terms = [{ matchExpressions: [{ key: "pool", operator: "In", values: ["x"] }] }];
    const args = { addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } };
    const test = clusterOf({ pluginConfig: [{ name: "NodeAffinity", args }] }, testNode("a"));
    assert.equal(test.place(testPodInfo()), "0/1 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity.");
  });

  it("compares the part of the nodes that is asked for, a profile's own share before that of all", () => {
    const { profiles } = schedulerConfiguration({
      ...head,
      percentageOfNodesToScore: 20,
      profiles: [{ percentageOfNodesToScore: 50 }, { schedulerName: "other" }],
    });
    assert.deepEqual(
      profiles.map(({ percentageOfNodesToScore }) => percentageOfNodesToScore),
      [50, 20],
    );
    const nodes = Array.from({ length: 300 }, (_, index) => testNode(`node-${index}`));
    const found = clusterOf({ percentageOfNodesToScore: 50 }, ...nodes).placer.find(testPodInfo());
    assert.equal("nodes" in found && found.nodes.length, 150);
    assert.throws(() => schedulerConfiguration({ ...head, percentageOfNodesToScore: 101 }), /from 0 to 100, not "101"/);
  });

  it("refuses what is none, or names what there is not", () => {
    assert.throws(() => schedulerConfiguration({ kind: "Pod" }), { code: "SCHEDULER_CONFIGURATION" });
    assert.throws(() => schedulerConfiguration({ ...head, profiles: [{}, {}] }), /two profiles have the schedulerName "default-scheduler"/);
    assert.throws(() => schedulerConfiguration({ ...head, profiles: [{ plugins: { filters: {} } }] }), /unknown extension point "filters"/);
    assert.throws(() => clusterOf({ plugins: { filter: { enabled: [{ name: "Nope" }] } } }), /plugin "Nope" does not exist/);
    assert.throws(() => schedulerConfiguration({ ...head, extenders: [{ urlPrefix: "nowhere" }] }), /must be a URL/);
  });
});

describe("extenders", () => {
  const cluster = new TestCluster({ nodes: [testNode("a"), testNode("b"), testNode("c")] }).cluster;
  const nodes = [...cluster.nodes()];
  const signal = new AbortController().signal;

  /** An extender that answers each verb with a fixed object. */
  function extenderWith(answers: Readonly<Record<string, unknown>>, more: object = {}) {
    const asked: unknown[] = [];
    const fetch: Fetch = async (url, { body }) => {
      asked.push(JSON.parse(body));
      const answer = answers[url.split("/").at(-1) ?? ""];
      return new Response(JSON.stringify(answer), { status: answer === undefined ? 500 : 200 });
    };
    const verbs = { filterVerb: "filter", prioritizeVerb: "prioritize", bindVerb: "bind" };
    const [configuration] = schedulerConfiguration({
      ...head,
      extenders: [{ urlPrefix: "http://extender/", weight: 2, ...verbs, ...more }],
    }).extenders;
    assert.ok(configuration);
    return { asked, extender: httpExtender({ configuration, fetch, clock: new VirtualClock(), cluster }) };
  }

  it("filter and score nodes", async () => {
    const answers = {
      filter: { NodeNames: ["a", "b"], FailedNodes: { c: "no licence" } },
      prioritize: [
        { Host: "a", Score: 1 },
        { Host: "b", Score: 10 },
      ],
    };
    const { extender, asked } = extenderWith(answers, { nodeCacheCapable: true });
    const result = await askExtenders([extender], { pod: testPodInfo({ name: "p" }), nodes }, signal);
    assert.deepEqual(
      result.nodes.map(({ name }) => name),
      ["a", "b"],
    );
    assert.deepEqual(result.scores, { a: 20, b: 200 });
    assert.deepEqual(
      result.rejections.map(({ node, rejection }) => [node.name, ...rejection.reasons]),
      [["c", "no licence"]],
    );
    assert.deepEqual((asked[0] as { NodeNames: string[] }).NodeNames, ["a", "b", "c"]);
  });

  it("are told whole nodes when they keep none themselves", async () => {
    const { extender, asked } = extenderWith({ filter: { nodes: { items: [{ metadata: { name: "b" } }] } } });
    const result = await askExtenders([extender], { pod: testPodInfo(), nodes }, signal);
    assert.deepEqual(
      result.nodes.map(({ name }) => name),
      ["b"],
    );
    assert.equal((asked[0] as { Nodes: { items: unknown[] } }).Nodes.items.length, 3);
  });

  it("stop scheduling when they fail, unless they may be ignored", async () => {
    const { extender } = extenderWith({});
    await assert.rejects(askExtenders([extender], { pod: testPodInfo(), nodes }, signal), /failed filter with extender at URL/);
    const ignorable = extenderWith({}, { ignorable: true }).extender;
    assert.equal((await askExtenders([ignorable], { pod: testPodInfo(), nodes }, signal)).nodes.length, 3);
  });

  it("are asked only about pods with their resources, and can bind", async () => {
    const { extender, asked } = extenderWith({ bind: { Error: "" } }, { managedResources: [{ name: "example.com/foo" }] });
    assert.equal(extender.isInterested(testPodInfo()), false);
    assert.equal(extender.isInterested(testPodInfo({ requests: { "example.com/foo": "1" } })), true);
    await extender.bind?.(testPodInfo({ name: "p" }), "a", signal);
    assert.deepEqual(asked, [{ PodName: "p", PodNamespace: "default", PodUID: "default/p", Node: "a" }]);
    await assert.rejects(
      extenderWith({ bind: { error: "taken" } }).extender.bind?.(testPodInfo(), "a", signal) ?? Promise.resolve(),
      /taken/,
    );
  });

  it("count resources that nodes say nothing about, when the scheduler is to ignore these", () => {
    const place = (ignoredByScheduler: boolean) => {
      const managedResources = [{ name: "example.com/foo", ignoredByScheduler }];
      const { extenders } = schedulerConfiguration({ ...head, extenders: [{ urlPrefix: "http://extender/", managedResources }] });
      return new TestCluster({ nodes: [testNode("a")], extenders }).place(testPodInfo({ requests: { "example.com/foo": "1" } }));
    };
    assert.equal(place(true), "a");
    assert.match(place(false), /Insufficient example.com\/foo/);
  });

  it("are asked about preemption with the victims, or their uids when they know the pods", async () => {
    const answer = { NodeNameToMetaVictims: { a: { Pods: [{ UID: "v" }], NumPDBViolations: 1 } } };
    const [node] = nodes;
    assert.ok(node);
    const candidates = [{ node, victims: [testPodInfo({ name: "v" })], violations: 2 }];
    for (const nodeCacheCapable of [true, false]) {
      const { extender, asked } = extenderWith({ preempt: answer }, { preemptVerb: "preempt", nodeCacheCapable });
      const answers = await extender.preempt?.(testPodInfo({ name: "p" }), candidates, signal);
      assert.deepEqual(answers, [{ nodeName: "a", victimUids: ["v"], violations: 1 }]);
      const { Pod: _, ...victims } = asked[0] as Record<string, unknown>;
      const shown = nodeCacheCapable ? [{ UID: "default/v" }] : [JSON.parse(JSON.stringify(candidates[0]?.victims[0]?.pod))];
      const name = nodeCacheCapable ? "NodeNameToMetaVictims" : "NodeNameToVictims";
      assert.deepEqual(victims, { [name]: { a: { Pods: shown, NumPDBViolations: 2 } } });
    }
    assert.equal(extenderWith({}).extender.preempt, undefined);
  });
});
