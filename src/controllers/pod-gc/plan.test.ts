import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { failedStatus, forcedDeletions, missingNodes, nextQuarantine } from "./plan.ts";

const AT = "2026-01-01T00:00:00Z";

function pod(name: string, metadata: Partial<Pod["metadata"]>, { nodeName, ...status }: { nodeName?: string } & Pod["status"] = {}): Pod {
  return { metadata: { name, ...metadata }, spec: { containers: [], nodeName }, status };
}

function view(pods: readonly Pod[], nodes: Readonly<Record<string, Node>> = {}, terminatedPodThreshold = 2) {
  return { pods, node: (name: string) => nodes[name], terminatedPodThreshold };
}

const names = (pods: readonly { readonly metadata: { readonly name?: string | undefined } }[]) => pods.map(({ metadata }) => metadata.name);

describe("pods to delete by force", () => {
  it("are ended ones above the threshold: evicted ones first, then the oldest", () => {
    const ended = (name: string, creationTimestamp: string, reason?: string) =>
      pod(name, { creationTimestamp }, { phase: "Failed", reason });
    const pods = [ended("new", "2026-03-01T00:00:00Z"), ended("old", "2026-01-01T00:00:00Z"), ended("older", "2025-01-01T00:00:00Z")];
    const evicted = ended("evicted", "2026-04-01T00:00:00Z", "Evicted");
    const running = pod("running", { creationTimestamp: "2024-01-01T00:00:00Z" }, { phase: "Running" });
    assert.deepEqual(names(forcedDeletions(view([...pods, evicted, running]))), ["evicted", "older"]);
    assert.deepEqual(forcedDeletions(view(pods, {}, 0)), []);
  });

  it("are those that terminate without a node, or on one that is out of service and not ready", () => {
    const taints = [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }];
    const node = (status: string, tainted: boolean): Node => ({
      metadata: {},
      spec: tainted ? { taints } : {},
      status: { conditions: [{ type: "Ready", status }] },
    });
    const nodes = { out: node("Unknown", true), ready: node("True", true), slow: node("Unknown", false) };
    const leaving = { deletionTimestamp: AT, deletionGracePeriodSeconds: 30 };
    const pods = [
      pod("unscheduled", leaving),
      pod("waiting", {}),
      ...Object.keys(nodes).map((nodeName) => pod(`on-${nodeName}`, leaving, { nodeName })),
      pod("staying", {}, { nodeName: "out" }),
      pod("held-by-finalizer", { ...leaving, deletionGracePeriodSeconds: 0 }, { phase: "Failed" }),
    ];
    assert.deepEqual(names(forcedDeletions(view(pods, nodes))), ["on-out", "unscheduled"]);
  });
});

describe("the quarantine of missing nodes", () => {
  it("begins when a pod's node is missing and ends when it is back", () => {
    const pods = [pod("a", {}, { nodeName: "gone" }), pod("b", {}, { nodeName: "here" }), pod("c", {})];
    const first = nextQuarantine(new Map(), missingNodes(view(pods, { here: { metadata: {} } })), 10);
    assert.deepEqual([...first], [["gone", 10]]);
    const second = nextQuarantine(first, missingNodes(view(pods)), 20);
    assert.deepEqual(
      [...second],
      [
        ["gone", 10],
        ["here", 20],
      ],
    );
    assert.deepEqual([...nextQuarantine(second, new Set(["here"]), 30)], [["here", 20]]);
  });
});

describe("the status of a pod before it is deleted", () => {
  it("is Failed, with the reason when its node is gone, and stays as it is when the pod has ended", () => {
    const orphan = pod("a", { generation: 3 }, { phase: "Running" });
    assert.deepEqual(failedStatus(orphan, Date.parse(AT), { isOrphan: true }), {
      phase: "Failed",
      observedGeneration: 3,
      conditions: [
        {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByPodGC",
          message: "PodGC: node no longer exists",
          lastTransitionTime: AT,
          observedGeneration: 3,
        },
      ],
    });
    assert.deepEqual(failedStatus(orphan, 0, { isOrphan: false }), { phase: "Failed", observedGeneration: 3 });
    assert.equal(failedStatus(pod("b", {}, { phase: "Succeeded" }), 0, { isOrphan: true }), undefined);
  });
});
