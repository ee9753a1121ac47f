// The behaviours that the conformance suite asks of the scheduler, named after it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { ReplicaSet } from "../../../src/api/types/apps/v1.ts";
import { createCluster } from "../../../src/testing/index.ts";
import { createPod, createPriorityClass, events, findPod, inDefault, nodeOfPod, patchNode, whyPending } from "./scheduling.fixture.ts";

const NO_VICTIMS = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
const NOT_HELPFUL = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";

describe("SchedulerPredicates", () => {
  it("validates resource limits of pods that are allowed to run", async () => {
    await using cluster = await createCluster();
    for (const name of ["a", "b", "c"]) await createPod(cluster, name, { cpu: "1" });
    await createPod(cluster, "too-much", { cpu: "2" });
    await cluster.clock.advance(5000);
    assert.equal(await nodeOfPod(cluster, "c"), "node-1");
    assert.equal(await whyPending(cluster, "too-much"), `Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. ${NO_VICTIMS}`);
    assert.deepEqual(await events(cluster, "FailedScheduling"), [`0/1 nodes are available: 1 Insufficient cpu. ${NO_VICTIMS}`]);
    await cluster.client.delete(resources.pods, "a", inDefault);
    await cluster.clock.advance(5000);
    assert.equal(await nodeOfPod(cluster, "too-much"), "node-1");
  });

  it("validates that NodeSelector is respected if matching", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    await patchNode(cluster, "node-2", { metadata: { labels: { "kubernetes.io/e2e": "42" } } });
    await createPod(cluster, "with-labels", { spec: { nodeSelector: { "kubernetes.io/e2e": "42" } } });
    await cluster.clock.advance(1000);
    assert.equal(await nodeOfPod(cluster, "with-labels"), "node-2");
  });

  it("validates that NodeSelector is respected if not matching", async () => {
    await using cluster = await createCluster();
    await createPod(cluster, "restricted", { spec: { nodeSelector: { label: "nonempty" } } });
    await cluster.clock.advance(5000);
    const message = `Unschedulable: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. ${NOT_HELPFUL}`;
    assert.equal(await whyPending(cluster, "restricted"), message);
    await patchNode(cluster, "node-1", { metadata: { labels: { label: "nonempty" } } });
    await cluster.clock.advance(1000);
    assert.equal(await nodeOfPod(cluster, "restricted"), "node-1");
  });

  it("validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP", async () => {
    await using cluster = await createCluster();
    const withPort = (hostIP: string) => ({
      spec: { containers: [{ name: "main", image: "image", ports: [{ containerPort: 8080, hostPort: 54322, hostIP }] }] },
    });
    await createPod(cluster, "everywhere", withPort("0.0.0.0"));
    await createPod(cluster, "one-address", withPort("127.0.0.1"));
    await cluster.clock.advance(5000);
    assert.equal(await nodeOfPod(cluster, "everywhere"), "node-1");
    assert.match((await whyPending(cluster, "one-address")) ?? "", /1 node\(s\) didn't have free ports for the requested pod ports/);
  });
});

describe("SchedulerPreemption", () => {
  it("validates basic preemption works", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await createPriorityClass(cluster, "low", 1);
    await createPriorityClass(cluster, "mid", 5);
    await createPriorityClass(cluster, "high", 10);
    await createPod(cluster, "low-pod", { cpu: "3", spec: { priorityClassName: "low" } });
    await cluster.clock.advance(1000);
    await createPod(cluster, "mid-pod", { cpu: "3", spec: { priorityClassName: "mid" } });
    await cluster.clock.advance(5000);
    const [lowNode, midNode] = [await nodeOfPod(cluster, "low-pod"), await nodeOfPod(cluster, "mid-pod")];
    assert.notEqual(lowNode, midNode);
    await createPod(cluster, "preemptor", { cpu: "3", spec: { priorityClassName: "high" } });
    await cluster.clock.advance(10_000);
    assert.equal(await nodeOfPod(cluster, "preemptor"), lowNode);
    assert.equal(await findPod(cluster, "low-pod"), undefined);
    assert.equal(await nodeOfPod(cluster, "mid-pod"), midNode);
    assert.match((await events(cluster, "Preempted"))[0] ?? "", /^Preempted by pod [0-9a-f-]{36} on node node-\d$/);
  });

  it("validates lower priority pod preemption by critical pod", async () => {
    await using cluster = await createCluster();
    await createPriorityClass(cluster, "low", 1);
    await createPod(cluster, "victim", { cpu: "3", spec: { priorityClassName: "low" } });
    await cluster.clock.advance(5000);
    await cluster.client.create(
      resources.pods,
      {
        metadata: { name: "critical", namespace: "kube-system" },
        spec: {
          priorityClassName: "system-cluster-critical",
          containers: [{ name: "main", image: "image", resources: { requests: { cpu: "3" } } }],
        },
      },
      { namespace: "kube-system" },
    );
    await cluster.clock.advance(10_000);
    const critical = await cluster.client.get(resources.pods, "critical", { namespace: "kube-system" });
    assert.equal(critical.spec?.nodeName, "node-1");
    assert.equal(await findPod(cluster, "victim"), undefined);
  });

  it("validates pod disruption condition is added to the preempted pod", async () => {
    await using cluster = await createCluster();
    await createPriorityClass(cluster, "low", 1);
    await createPriorityClass(cluster, "high", 10);
    await createPod(cluster, "victim", { cpu: "3", spec: { priorityClassName: "low" } });
    await cluster.clock.advance(5000);
    // The finalizer keeps the object when its pod has ended.
    const metadata = { finalizers: ["example.com/test-finalizer"] };
    await cluster.client.patch(resources.pods, "victim", { metadata }, { ...inDefault, type: "application/merge-patch+json" });
    await createPod(cluster, "preemptor", { cpu: "3", spec: { priorityClassName: "high" } });
    await cluster.clock.advance(10_000);
    const victim = await findPod(cluster, "victim");
    const condition = victim?.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
    assert.deepEqual(
      [condition?.status, condition?.reason, condition?.message],
      ["True", "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"],
    );
    assert.equal(await nodeOfPod(cluster, "preemptor"), "node-1");
  });

  it("runs ReplicaSets to verify preemption running path", async () => {
    await using cluster = await createCluster();
    const replicaSet = (name: string, replicas: number, cpu: string): ReplicaSet => ({
      metadata: { name, ...inDefault },
      spec: {
        replicas,
        selector: { matchLabels: { name } },
        template: {
          metadata: { labels: { name } },
          spec: {
            priorityClassName: name,
            terminationGracePeriodSeconds: 0,
            containers: [{ name: "main", image: "image", resources: { requests: { cpu } } }],
          },
        },
      },
    });
    const running = async (name: string) => {
      const { items } = await cluster.client.list(resources.pods, { ...inDefault, labelSelector: `name=${name}` });
      return items.filter(({ status }) => status?.phase === "Running").length;
    };
    for (const [index, name] of ["p1", "p2", "p3", "p4"].entries()) await createPriorityClass(cluster, name, index + 1);
    // Four cores: the first three fill 3500m, the last needs 1500m and takes it from the least important.
    await cluster.client.create(resources.replicasets, replicaSet("p1", 5, "200m"));
    await cluster.client.create(resources.replicasets, replicaSet("p2", 4, "300m"));
    await cluster.client.create(resources.replicasets, replicaSet("p3", 2, "600m"));
    await cluster.clock.advance(20_000);
    assert.deepEqual([await running("p1"), await running("p2"), await running("p3")], [5, 4, 2]);
    await cluster.client.create(resources.replicasets, replicaSet("p4", 1, "1500m"));
    await cluster.clock.advance(60_000);
    assert.deepEqual([await running("p1"), await running("p2"), await running("p3"), await running("p4")], [0, 4, 2, 1]);
  });

  it("lets a pod with preemptionPolicy Never wait", async () => {
    await using cluster = await createCluster();
    await createPriorityClass(cluster, "low", 1);
    await createPriorityClass(cluster, "polite", 10, "Never");
    await createPod(cluster, "first", { cpu: "3", spec: { priorityClassName: "low" } });
    await cluster.clock.advance(5000);
    await createPod(cluster, "polite", { cpu: "3", spec: { priorityClassName: "polite" } });
    await cluster.clock.advance(5000);
    const message =
      "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.";
    assert.equal(await whyPending(cluster, "polite"), message);
    assert.equal(await nodeOfPod(cluster, "first"), "node-1");
  });

  it("nominates the node while the victims take their time to end", async () => {
    await using cluster = await createCluster();
    await createPriorityClass(cluster, "low", 1);
    await createPriorityClass(cluster, "high", 10);
    await createPod(cluster, "victim", { cpu: "3", spec: { priorityClassName: "low", terminationGracePeriodSeconds: 30 } });
    await cluster.clock.advance(5000);
    const metadata = { finalizers: ["example.com/slow"] };
    await cluster.client.patch(resources.pods, "victim", { metadata }, { ...inDefault, type: "application/merge-patch+json" });
    await createPod(cluster, "preemptor", { cpu: "3", spec: { priorityClassName: "high" } });
    await cluster.clock.advance(100);
    assert.equal((await findPod(cluster, "preemptor"))?.status?.nominatedNodeName, "node-1");
    // The freed room is not for the one that came later.
    await createPod(cluster, "late", { cpu: "3" });
    await cluster.clock.advance(60_000);
    assert.deepEqual([await nodeOfPod(cluster, "preemptor"), await nodeOfPod(cluster, "late")], ["node-1", undefined]);
  });
});
