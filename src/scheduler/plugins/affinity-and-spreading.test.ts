import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestCluster, testNode, testPodInfo } from "../scheduler.fixture.ts";

const zone = (name: string, value: string) => testNode(name, { labels: { zone: value } });
const term = (topologyKey: string, app: string, more: object = {}) => ({ topologyKey, labelSelector: { matchLabels: { app } }, ...more });
const required = (...terms: object[]) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms as never[] });
const preferred = (weight: number, podAffinityTerm: object) => ({
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm }] as never[],
});

describe("InterPodAffinity", () => {
  it("keeps pods of an application on nodes of their own", () => {
    const test = new TestCluster({ nodes: [testNode("a"), testNode("b")] });
    const shape = { labels: { app: "web" }, spec: { affinity: { podAntiAffinity: required(term("kubernetes.io/hostname", "web")) } } };
    const [first, second, third] = test.placeAll(shape, shape, shape);
    assert.deepEqual([first, second].sort(), ["a", "b"]);
    assert.equal(third, "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.");
  });

  it("keeps pods away that others do not want near them", () => {
    const test = new TestCluster({ nodes: [testNode("a")] });
    const affinity = { podAntiAffinity: required(term("kubernetes.io/hostname", "web")) };
    const [, second] = test.placeAll({ spec: { affinity } }, { labels: { app: "web" } });
    assert.equal(second, "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.");
  });

  it("lets the first of a series go anywhere, and the others to the same zone", () => {
    const test = new TestCluster({ nodes: [zone("a", "1"), zone("b", "2"), zone("c", "2")] });
    const shape = { labels: { app: "web" }, spec: { affinity: { podAffinity: required(term("zone", "web")) } } };
    test.cluster.setPod(testPodInfo(shape), "b");
    assert.deepEqual(new Set(test.placeAll(shape, shape, shape, shape)), new Set(["b", "c"]));
    const lonely = { spec: { affinity: { podAffinity: required(term("zone", "nobody")) } } };
    assert.deepEqual(test.placeAll(lonely), ["0/3 nodes are available: 3 node(s) didn't match pod affinity rules."]);
  });

  it("looks into namespaces that a selector picks, as their labels are now", () => {
    const test = new TestCluster({ nodes: [testNode("a")] });
    test.cluster.setPod(testPodInfo({ namespace: "other", labels: { app: "db" } }), "a");
    const namespaceSelector = { matchLabels: { team: "data" } };
    const affinity = { podAffinity: required(term("kubernetes.io/hostname", "db", { namespaceSelector })) };
    assert.match(test.place(testPodInfo({ spec: { affinity } })), /didn't match pod affinity rules/);
    test.cluster.setNamespace("other", { team: "data" });
    assert.equal(test.place(testPodInfo({ spec: { affinity } })), "a");
    test.cluster.setNamespace("other", { team: "other" });
    assert.match(test.place(testPodInfo({ spec: { affinity } })), /didn't match pod affinity rules/);
  });

  it("follows nodes that move to another zone", () => {
    const test = new TestCluster({ nodes: [zone("a", "1"), zone("b", "2")] });
    test.cluster.setPod(testPodInfo({ labels: { app: "db" } }), "a");
    const affinity = { podAntiAffinity: required(term("zone", "db")) };
    assert.equal(test.place(testPodInfo({ spec: { affinity } })), "b");
    test.cluster.setNode(zone("b", "1"));
    assert.match(test.place(testPodInfo({ spec: { affinity } })), /2 node\(s\) didn't match pod anti-affinity rules/);
  });

  it("weighs preferences of the pod and of those that are there", () => {
    const test = new TestCluster({ nodes: [zone("a", "1"), zone("b", "2"), zone("c", "3")] });
    test.cluster.setPod(testPodInfo({ labels: { app: "db" } }), "b");
    test.cluster.setPod(testPodInfo({ spec: { affinity: { podAntiAffinity: preferred(100, term("zone", "web")) } } }), "c");
    const shape = { labels: { app: "web" }, spec: { affinity: { podAffinity: preferred(10, term("zone", "db")) } } };
    assert.deepEqual(test.placeAll(shape), ["b"]);
  });
});

describe("PodTopologySpread", () => {
  const constraint = (topologyKey: string, more: object = {}) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchLabels: { app: "web" } },
    ...more,
  });
  const web = (...topologySpreadConstraints: object[]) => ({
    labels: { app: "web", rev: "2" },
    spec: { topologySpreadConstraints: topologySpreadConstraints as never[] },
  });

  it("lets no zone get ahead by more than maxSkew", () => {
    const test = new TestCluster({ nodes: [zone("a", "1"), zone("b", "2")] });
    const shape = web(constraint("zone"));
    const placed = test.placeAll(shape, shape, shape, shape);
    assert.deepEqual([...placed].sort(), ["a", "a", "b", "b"]);
    const full = new TestCluster({ nodes: [zone("a", "1"), testNode("b", { cpu: "0", labels: { zone: "2" } }), testNode("c")] });
    full.cluster.setPod(testPodInfo(shape), "a");
    assert.equal(
      full.place(testPodInfo(shape)),
      "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label).",
    );
  });

  it("counts as if there were empty domains until there are minDomains", () => {
    const test = new TestCluster({ nodes: [zone("a", "1"), zone("b", "2")] });
    const shape = web(constraint("zone", { minDomains: 3 }));
    const [first, second, third] = test.placeAll(shape, shape, shape);
    assert.deepEqual([first, second].sort(), ["a", "b"]);
    assert.match(third ?? "", /2 node\(s\) didn't match pod topology spread constraints/);
  });

  it("tells revisions apart by matchLabelKeys", () => {
    const test = new TestCluster({ nodes: [zone("a", "1"), testNode("b", { cpu: "0", labels: { zone: "2" } })] });
    test.cluster.setPod(testPodInfo({ labels: { app: "web", rev: "1" } }), "a");
    assert.equal(test.place(testPodInfo(web(constraint("zone", { matchLabelKeys: ["rev"] })))), "a");
    assert.match(test.place(testPodInfo(web(constraint("zone")))), /topology spread/);
  });

  it("counts nodes with taints unless it is to honour them", () => {
    const nodes = [zone("a", "1"), testNode("b", { labels: { zone: "2" }, taints: [{ key: "k", effect: "NoSchedule" }] })];
    const place = (more: object) => {
      const test = new TestCluster({ nodes });
      test.cluster.setPod(testPodInfo({ labels: { app: "web" } }), "a");
      return test.place(testPodInfo(web(constraint("zone", more))));
    };
    assert.match(place({}), /topology spread/);
    assert.equal(place({ nodeTaintsPolicy: "Honor" }), "a");
  });

  it("spreads a service's pods over zones without being asked", () => {
    const services = [{ metadata: { name: "web", namespace: "default" }, spec: { selector: { app: "web" } } }];
    const nodes = [zone("a", "1"), zone("b", "1"), zone("c", "2")].map((node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata.labels, "topology.kubernetes.io/zone": node.metadata.labels?.["zone"] ?? "" },
      },
    }));
    const test = new TestCluster({ nodes, objects: { services } });
    for (let index = 0; index < 4; index++) test.cluster.setPod(testPodInfo({ labels: { app: "web" }, requests: {} }), "a");
    test.cluster.setPod(testPodInfo({ requests: { cpu: "500m", memory: "1Gi" } }), "c");
    assert.equal(test.place(testPodInfo({ labels: { app: "web" } })), "c");
  });
});
