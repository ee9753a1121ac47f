import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { podInfo } from "../cluster/pod-info.ts";
import { TestCluster, testNode, testPod } from "../scheduler.fixture.ts";
import { mayRunOn, type ReferenceCluster, referenceScores } from "./reference-scheduler.fixture.ts";

const NAMESPACES = { one: { team: "a" }, two: { team: "b" } };
const TOPOLOGY = ["kubernetes.io/hostname", "zone", "rack"] as const;

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { maxLength: 2 });
const selector = fc.record({ matchLabels: fc.constantFrom({ app: "x" }, { app: "y" }, {}) });

const nodeShape = fc.record({
  cpu: fc.constantFrom("1", "2", "4"),
  memory: fc.constantFrom("2Gi", "8Gi"),
  pods: fc.constantFrom("2", "110"),
  unschedulable: fc.constantFrom(false, false, false, true),
  labels: fc.constantFrom<Record<string, string>[]>(
    { zone: "z1", rack: "r1" },
    { zone: "z1", rack: "r2" },
    { zone: "z2", rack: "r1" },
    { zone: "z2" },
    { zone: "z1", "kubernetes.io/hostname": "n0" },
    {},
  ),
  taints: some(fc.record({ key: fc.constantFrom("k1", "k2"), effect: fc.constantFrom("NoSchedule", "PreferNoSchedule") })),
});

const term = fc.record(
  {
    topologyKey: fc.constantFrom(...TOPOLOGY),
    labelSelector: selector,
    namespaces: fc.constantFrom(["one"], ["one", "two"]),
    namespaceSelector: fc.constantFrom({ matchLabels: { team: "b" } }, {}),
  },
  { requiredKeys: ["topologyKey", "labelSelector"] },
);
const preferredTerm = fc.record({ weight: fc.constantFrom(1, 10, 100), podAffinityTerm: term });

const terms = fc.record({
  requiredDuringSchedulingIgnoredDuringExecution: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: some(term) }),
  preferredDuringSchedulingIgnoredDuringExecution: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: some(preferredTerm) },
  ),
});

const spread = fc.record(
  {
    topologyKey: fc.constantFrom(...TOPOLOGY),
    maxSkew: fc.constantFrom(1, 2),
    whenUnsatisfiable: fc.constantFrom("DoNotSchedule", "ScheduleAnyway"),
    labelSelector: fc.record({ matchLabels: fc.constantFrom({ app: "x" }, { app: "y" }) }),
    nodeAffinityPolicy: fc.constantFrom("Honor", "Ignore"),
    nodeTaintsPolicy: fc.constantFrom("Honor", "Ignore"),
    minDomains: fc.constantFrom(1, 3),
  },
  { requiredKeys: ["topologyKey", "maxSkew", "whenUnsatisfiable", "labelSelector"] },
);

const podShape = fc.record({
  namespace: fc.constantFrom("one", "two"),
  labels: fc.constantFrom<Record<string, string>[]>({ app: "x" }, { app: "y" }, {}),
  requests: fc.constantFrom<Record<string, string>[]>({ cpu: "100m", memory: "100Mi" }, { cpu: "1" }, {}),
  spec: fc.record({
    affinity: fc.oneof(fc.constant({}), fc.record({ podAffinity: terms, podAntiAffinity: terms })),
    nodeSelector: fc.constantFrom<Record<string, string>[]>({}, {}, {}, { zone: "z1" }),
    tolerations: fc.constantFrom([], [], [{ key: "k1", operator: "Exists" }]),
    topologySpreadConstraints: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: some(spread) }),
  }),
});

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("place" as const), shape: podShape }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("removePod" as const), index: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("setNode" as const), index: fc.nat(5), shape: nodeShape }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("removeNode" as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("setNamespace" as const), team: fc.constantFrom("a", "b") }) },
);

/** The same history for both schedulers. */
class Both {
  readonly fast = new TestCluster();
  nodes: DeepReadonly<Node>[] = [];
  pods: DeepReadonly<Pod>[] = [];
  namespaces: Record<string, Record<string, string>> = { ...NAMESPACES };

  constructor() {
    for (const [name, labels] of Object.entries(this.namespaces)) this.fast.cluster.setNamespace(name, labels);
  }

  get cluster(): ReferenceCluster {
    const isThere = ({ spec }: DeepReadonly<Pod>) => this.nodes.some(({ metadata }) => metadata.name === spec?.nodeName);
    return { nodes: this.nodes, pods: this.pods.filter(isThere), namespaces: this.namespaces };
  }

  setNode(node: DeepReadonly<Node>): void {
    this.nodes = [...this.nodes.filter(({ metadata }) => metadata.name !== node.metadata.name), node];
    this.fast.cluster.setNode(node);
  }

  removeNode(name: string): void {
    this.nodes = this.nodes.filter(({ metadata }) => metadata.name !== name);
    this.fast.cluster.removeNode(name);
  }

  removePod(index: number): void {
    const [pod] = this.pods.splice(index % Math.max(1, this.pods.length), 1);
    this.fast.cluster.removePod(pod?.metadata.uid ?? "");
  }

  setNamespace(team: string): void {
    this.namespaces = { ...this.namespaces, one: { team } };
    this.fast.cluster.setNamespace("one", { team });
  }

  place(pod: DeepReadonly<Pod>): void {
    const { cluster } = this;
    const allowed = cluster.nodes.filter((node) => mayRunOn(cluster, pod, node));
    const scores = referenceScores(cluster, pod, allowed);
    const expected = Object.fromEntries(allowed.map(({ metadata: { name = "" } }, index) => [name, scores[index] ?? 0]));
    const found = this.fast.scores(podInfo(pod));
    assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort(), "the nodes that may take the pod");
    // Scores that are the same for all nodes may be left out.
    assert.deepEqual(relative(found), relative(expected), "how much better one node is than another");
    if (allowed.length === 0) return;
    const name = this.fast.place(podInfo(pod));
    assert.equal(expected[name], Math.max(...scores), "the best score");
    this.pods.push({ ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName: name } });
  }
}

function relative(scores: Readonly<Record<string, number>>): Record<string, number> {
  const least = Math.min(...Object.values(scores));
  return Object.fromEntries(
    Object.entries(scores)
      .map(([name, score]) => [name, score - least] as const)
      .sort(),
  );
}

describe("the scheduler and a plain model of its rules", () => {
  it("allow the same nodes and score them alike, whatever happens in between", () => {
    fc.assert(
      fc.property(
        fc.array(nodeShape, { minLength: 2, maxLength: 6, size: "max" }),
        fc.array(step, { minLength: 20, maxLength: 60, size: "max" }),
        (nodes, steps) => {
          const both = new Both();
          for (const [index, shape] of nodes.entries()) both.setNode(testNode(`n${index}`, shape));
          for (const each of steps) {
            if (each.kind === "place") both.place(testPod(each.shape));
            else if (each.kind === "removePod") both.removePod(each.index);
            else if (each.kind === "setNode") both.setNode(testNode(`n${each.index}`, each.shape));
            else if (each.kind === "removeNode") both.removeNode(`n${each.index}`);
            else both.setNamespace(each.team);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
