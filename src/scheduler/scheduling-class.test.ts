import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Node, Pod } from "../api/types/core/v1.ts";
import { SeededRandom } from "../base/index.ts";
import { ClusterState } from "./cluster-state.ts";
import { fitErrorMessage } from "./fit-error.ts";
import { defaultPlugins } from "./plugins/index.ts";
import { type PodInfo, podInfo } from "./pod-info.ts";
import { type Placement, SchedulingClass } from "./scheduling-class.ts";

interface NodeShape {
  readonly cpu?: string;
  readonly memory?: string;
  readonly labels?: Record<string, string>;
  readonly taints?: { key: string; value?: string; effect: string }[];
  readonly unschedulable?: boolean;
}

function node(name: string, { cpu = "4", memory = "8Gi", labels = {}, taints = [], unschedulable = false }: NodeShape = {}): Node {
  return { metadata: { name, labels }, spec: { taints, unschedulable }, status: { allocatable: { cpu, memory, pods: "110" } } };
}

let pods = 0;
function pod(spec: object = {}, requests: Record<string, string> = { cpu: "1", memory: "1Gi" }): PodInfo {
  const name = `pod-${pods++}`;
  const full = {
    metadata: { name, namespace: "default", uid: name },
    spec: { containers: [{ name: "c", resources: { requests } }], ...spec },
  };
  return podInfo(full as Pod);
}

function cluster(...nodes: Node[]): ClusterState {
  const state = new ClusterState();
  for (const each of nodes) state.setNode(each);
  return state;
}

function place(state: ClusterState, info: PodInfo, schedulingClass = new SchedulingClass(defaultPlugins, info)): Placement {
  return schedulingClass.place(info, state, new SeededRandom(1));
}

function placedOn(placement: Placement): string {
  return "node" in placement ? placement.node.name : fitErrorMessage(3, placement.rejections);
}

describe("placing a pod", () => {
  it("prefers the node with more room", () => {
    const state = cluster(node("a"), node("b"));
    state.setPod(pod(), "a");
    assert.equal(placedOn(place(state, pod())), "b");
  });

  it("names for each node why it is none, in upstream's words", () => {
    const state = cluster(
      node("small", { cpu: "500m", memory: "512Mi" }),
      node("tainted", { taints: [{ key: "dedicated", value: "db", effect: "NoSchedule" }] }),
      node("cordoned", { unschedulable: true }),
    );
    assert.equal(
      placedOn(place(state, pod())),
      "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.",
    );
  });

  it("honours selectors, required affinity and tolerations", () => {
    const state = cluster(
      node("ssd", { labels: { disk: "ssd", zone: "1" }, taints: [{ key: "dedicated", value: "db", effect: "NoSchedule" }] }),
      node("hdd", { labels: { disk: "hdd", zone: "2" } }),
    );
    const tolerations = [{ key: "dedicated", operator: "Exists" }];
    assert.equal(placedOn(place(state, pod({ nodeSelector: { disk: "ssd" }, tolerations }))), "ssd");
    const nodeSelectorTerms = [{ matchExpressions: [{ key: "zone", operator: "Gt", values: ["1"] }] }];
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
    assert.equal(placedOn(place(state, pod({ affinity, tolerations }))), "hdd");
  });

  it("weighs preferred affinity above an even load", () => {
    const state = cluster(node("a"), node("b", { labels: { disk: "ssd" } }));
    state.setPod(pod(), "b");
    const preference = { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] };
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] } };
    assert.equal(placedOn(place(state, pod({ affinity }))), "b");
  });

  it("never puts two pods on one host port", () => {
    const state = cluster(node("a"), node("b"));
    const withPort = () => pod({ containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 80 }] }] });
    const first = withPort();
    const schedulingClass = new SchedulingClass(defaultPlugins, first);
    const seen = [first, withPort()].map((each) => {
      const name = placedOn(place(state, each, schedulingClass));
      state.setPod(each, name);
      return name;
    });
    assert.deepEqual(seen.sort(), ["a", "b"]);
    assert.match(placedOn(place(state, withPort(), schedulingClass)), /2 node\(s\) didn't have free ports for the requested pod ports/);
  });

  it("places as a class that remembers nothing would, whatever happens in between", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("place" as const) }),
      fc.record({ kind: fc.constant("remove" as const), index: fc.nat(20) }),
      fc.record({ kind: fc.constant("cpu" as const), node: fc.nat(3), cpu: fc.integer({ min: 1, max: 6 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const state = cluster(node("n0"), node("n1"), node("n2"));
        const remembering = new SchedulingClass(defaultPlugins, pod());
        const placed: PodInfo[] = [];
        for (const each of steps) {
          if (each.kind === "cpu") state.setNode(node(`n${each.node}`, { cpu: `${each.cpu}` }));
          else if (each.kind === "remove") state.removePod(placed.splice(each.index % Math.max(1, placed.length), 1)[0]?.uid ?? "");
          else {
            const next = pod();
            const name = placedOn(place(state, next, remembering));
            assert.equal(name, placedOn(place(state, next)));
            if (state.node(name) === undefined) continue;
            state.setPod(next, name);
            placed.push(next);
          }
        }
      }),
    );
  });
});
