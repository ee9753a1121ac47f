import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Plugin } from "../framework/plugin.ts";
import { rejection } from "../framework/plugin.ts";
import { TestCluster, testNode, testPodInfo } from "../scheduler.fixture.ts";

const database = { key: "dedicated", value: "db", effect: "NoSchedule" };

function namedTerm(name: string) {
  return { matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] };
}

function onlyOn(...names: string[]) {
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: names.map(namedTerm) } } };
}

describe("placing a pod", () => {
  it("prefers the node with more room", () => {
    const test = new TestCluster({ nodes: [testNode("a"), testNode("b")] });
    test.cluster.setPod(testPodInfo(), "a");
    assert.equal(test.place(testPodInfo()), "b");
  });

  it("names for each node why it is none, in upstream's words", () => {
    const nodes = [
      testNode("small", { cpu: "500m", memory: "512Mi" }),
      testNode("tainted", { taints: [database] }),
      testNode("cordoned", { unschedulable: true }),
    ];
    assert.equal(
      new TestCluster({ nodes }).place(testPodInfo()),
      "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.",
    );
  });

  it("compares enough nodes of a large cluster, other ones each time, and all while few take the pod", () => {
    const nodes = Array.from({ length: 1000 }, (_, index) => testNode(`node-${index}`, { labels: index < 2 ? { disk: "ssd" } : {} }));
    const test = new TestCluster({ nodes });
    const names = (spec = {}) => Object.keys(test.scores(testPodInfo({ spec })));
    const first = names();
    assert.equal(first.length, 420);
    // One that may only go to one node changes nothing for the others.
    assert.deepEqual(names({ affinity: onlyOn("node-7") }), ["node-7"]);
    assert.equal(new Set([...first, ...names()]).size, 840);
    assert.deepEqual(names({ nodeSelector: { disk: "ssd" } }).sort(), ["node-0", "node-1"]);
  });

  it("says so when there is no node at all", () => {
    assert.equal(new TestCluster().place(testPodInfo()), "no nodes available to schedule pods");
  });

  it("explains each node by all plug-ins that reject it", () => {
    const test = new TestCluster({ nodes: [testNode("a", { cpu: "500m", taints: [database] }), testNode("b")] });
    const explained = test.placer
      .explain(testPodInfo())
      .map(({ node, plugin, rejection: { reasons } }) => [node.name, plugin.name, ...reasons]);
    assert.deepEqual(explained, [
      ["a", "TaintToleration", "node(s) had untolerated taint(s)"],
      ["a", "NodeResourcesFit", "Insufficient cpu"],
    ]);
  });

  it("honours selectors, required affinity and tolerations", () => {
    const ssd = testNode("ssd", { labels: { disk: "ssd", zone: "1" }, taints: [database] });
    const test = new TestCluster({ nodes: [ssd, testNode("hdd", { labels: { disk: "hdd", zone: "2" } })] });
    const tolerations = [{ key: "dedicated", operator: "Exists" }];
    assert.equal(test.place(testPodInfo({ spec: { nodeSelector: { disk: "ssd" }, tolerations } })), "ssd");
    const nodeSelectorTerms = [{ matchExpressions: [{ key: "zone", operator: "Gt", values: ["1"] }] }];
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
    assert.equal(test.place(testPodInfo({ spec: { affinity, tolerations } })), "hdd");
  });

  it("looks only at the nodes that affinity names", () => {
    const test = new TestCluster({ nodes: [testNode("a", { cpu: "0" }), testNode("b")] });
    const message = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity].";
    assert.equal(test.place(testPodInfo({ spec: { affinity: onlyOn("a") } })), message);
    assert.equal(test.place(testPodInfo({ spec: { affinity: onlyOn("a", "b") } })), "b");
  });

  it("weighs preferred affinity above an even load", () => {
    const test = new TestCluster({ nodes: [testNode("a"), testNode("b", { labels: { disk: "ssd" } })] });
    test.cluster.setPod(testPodInfo(), "b");
    const preference = { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] };
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] } };
    assert.equal(test.place(testPodInfo({ spec: { affinity } })), "b");
  });

  it("rather avoids taints that only ask for it", () => {
    const test = new TestCluster({ nodes: [testNode("a", { taints: [{ key: "k", effect: "PreferNoSchedule" }] }), testNode("b")] });
    test.cluster.setPod(testPodInfo(), "b");
    assert.equal(test.place(testPodInfo()), "b");
  });

  it("never puts two pods on one host port", () => {
    const test = new TestCluster({ nodes: [testNode("a"), testNode("b")] });
    const withPort = { spec: { containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 80 }] }] } };
    const [first, second, third] = test.placeAll(withPort, withPort, withPort);
    assert.deepEqual([first, second].sort(), ["a", "b"]);
    assert.equal(third, "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.");
  });

  it("goes where large images already are", () => {
    const images = [{ names: ["registry/large:1"], sizeBytes: 900 * 2 ** 20 }];
    const test = new TestCluster({ nodes: [testNode("a"), testNode("b", { images })] });
    const containers = [{ name: "c", image: "registry/large:1" }];
    assert.equal(test.place(testPodInfo({ spec: { containers } })), "b");
  });

  it("keeps room for nominated pods of the same or a higher priority, not of a lower one", () => {
    const test = new TestCluster({ nodes: [testNode("a", { cpu: "1" })] });
    test.nominator.set(testPodInfo({ spec: { priority: 10 } }), "a");
    assert.equal(test.place(testPodInfo({ spec: { priority: 10 } })), "0/1 nodes are available: 1 Insufficient cpu.");
    assert.equal(test.place(testPodInfo({ spec: { priority: 11 } })), "a");
  });

  it("asks plug-ins that do not say what they read for each pod", () => {
    const taken = new Set<string>();
    const once: Plugin = {
      name: "Once",
      filter: (_, node) => (taken.has(node.name) ? rejection("node(s) had their turn") : undefined),
    };
    const profile = { plugins: { multiPoint: { enabled: [{ name: "Once" }] } } };
    const test = new TestCluster({ nodes: [testNode("a"), testNode("b")], plugins: { Once: () => once }, profile });
    taken.add(test.place(testPodInfo()));
    taken.add(test.place(testPodInfo()));
    assert.deepEqual([...taken].sort(), ["a", "b"]);
    assert.equal(test.place(testPodInfo()), "0/2 nodes are available: 2 node(s) had their turn.");
  });
});
