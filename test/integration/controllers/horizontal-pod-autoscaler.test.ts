// HorizontalPodAutoscalers over a whole API server, with metrics that the test makes up.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { HorizontalPodAutoscalerSpec, MetricSpec } from "../../../src/api/types/autoscaling/v2.ts";
import { formatTime } from "../../../src/base/index.ts";
import {
  deploymentController,
  horizontalPodAutoscalerController,
  type MetricsClient,
  MetricsError,
  type ResourceQuery,
  replicaSetController,
} from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const inDefault = { namespace: "default" };
const labels = { app: "web" };

class MadeUpMetrics implements MetricsClient {
  /** Of every pod, in thousandths. */
  perPod: number | undefined;
  value: number | undefined;
  /** Of one container of every pod, by its name. */
  readonly perContainer = new Map<string, number>();
  cluster: ControllerCluster | undefined;

  async resource({ container }: Partial<ResourceQuery> = {}) {
    const { cluster } = this;
    const perPod = container === undefined ? this.perPod : this.perContainer.get(container);
    if (perPod === undefined || cluster === undefined) throw new MetricsError("unable to fetch metrics from resource metrics API: none");
    const nowMs = cluster.clock.now();
    const names = await cluster.names(resources.pods);
    return new Map(names.map((name) => [name, { milli: perPod, timestampMs: nowMs, windowMs: 0 }]));
  }

  pods() {
    return this.resource();
  }

  async object() {
    if (this.value === undefined) throw new MetricsError("unable to fetch metrics from custom metrics API: none");
    return this.value;
  }

  async external() {
    return [await this.object()];
  }
}

const cpu = (averageUtilization: number): MetricSpec => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});

async function start(spec: Partial<HorizontalPodAutoscalerSpec> = {}, replicas = 2) {
  const metrics = new MadeUpMetrics();
  const all = [resources.deployments, resources.replicasets];
  const cluster = await ControllerCluster.start(deploymentController, replicaSetController, (context) =>
    horizontalPodAutoscalerController(context, { resources: () => all, metrics }),
  );
  metrics.cluster = cluster;
  await cluster.create(resources.serviceaccounts, { metadata: { name: "default" } });
  const container = { name: "c", image: "i", resources: { requests: { cpu: "1" } } };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  await cluster.create(resources.deployments, {
    metadata: { name: "web" },
    spec: { replicas, selector: { matchLabels: labels }, template },
  });
  await cluster.clock.advance(1000);
  await runPods(cluster);
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  await cluster.create(resources.horizontalpodautoscalers, {
    metadata: { name: "web" },
    spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 10, metrics: [cpu(50)], ...spec },
  });
  return { cluster, metrics };
}

/** Makes every pod one that has been running and ready for an hour. */
async function runPods(cluster: ControllerCluster) {
  const since = formatTime(cluster.clock.now() - 3_600_000);
  for (const pod of (await cluster.client.list(resources.pods, inDefault)).items) {
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: since }];
    const status = { ...pod.status, phase: "Running", startTime: since, conditions };
    await cluster.client.update(resources.pods, { ...pod, status }, { ...inDefault, subresource: "status" });
  }
  await cluster.clock.advance(1000);
}

async function rounds(cluster: ControllerCluster, count: number) {
  for (let i = 0; i < count; i++) {
    await cluster.clock.advance(15_000);
    await runPods(cluster);
  }
}

const size = async (cluster: ControllerCluster) => (await cluster.client.get(resources.deployments, "web", inDefault)).spec?.replicas;

async function conditions(cluster: ControllerCluster) {
  const { status } = await cluster.client.get(resources.horizontalpodautoscalers, "web", inDefault);
  return (status?.conditions ?? []).map(({ type, status: state, reason }) => `${type} ${state} ${reason}`);
}

describe("HorizontalPodAutoscaler", () => {
  it("grows its target with the load, reports what it sees, and shrinks it five minutes later", async () => {
    const { cluster, metrics } = await start();
    await using _ = cluster;
    metrics.perPod = 1000;
    await cluster.clock.advance(1000);
    assert.equal(await size(cluster), 4);
    assert.deepEqual(await cluster.events("SuccessfulRescale"), [
      "New size: 4; reason: cpu resource utilization (percentage of request) above target",
    ]);
    await runPods(cluster);
    metrics.perPod = 500;
    await rounds(cluster, 1);
    const { status } = await cluster.client.get(resources.horizontalpodautoscalers, "web", inDefault);
    assert.deepEqual([status?.currentReplicas, status?.desiredReplicas], [4, 4]);
    assert.deepEqual(status?.currentMetrics, [
      { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 50, averageValue: "500m" } } },
    ]);
    assert.deepEqual(await conditions(cluster), [
      "AbleToScale True ReadyForNewScale",
      "ScalingActive True ValidMetricFound",
      "ScalingLimited False DesiredWithinRange",
    ]);
    metrics.perPod = 100;
    await rounds(cluster, 10);
    assert.equal(await size(cluster), 4);
    assert.ok((await conditions(cluster)).includes("AbleToScale True ScaleDownStabilized"));
    await rounds(cluster, 15);
    assert.equal(await size(cluster), 1);
  });

  it("keeps between the limits whatever the metrics say, and leaves a target of size zero alone", async () => {
    const { cluster, metrics } = await start({ minReplicas: 3, maxReplicas: 4 });
    await using _ = cluster;
    metrics.perPod = 100;
    await cluster.clock.advance(1000);
    assert.equal(await size(cluster), 3);
    assert.deepEqual(await cluster.events("SuccessfulRescale"), ["New size: 3; reason: Current number of replicas below Spec.MinReplicas"]);
    const merge = { ...inDefault, type: "application/merge-patch+json" } as const;
    await cluster.client.patch(resources.deployments, "web", { spec: { replicas: 0 } }, merge);
    await rounds(cluster, 2);
    assert.equal(await size(cluster), 0);
    assert.ok((await conditions(cluster)).includes("ScalingActive False ScalingDisabled"));
  });

  it("does nothing and says why when metrics or target cannot be had", async () => {
    const { cluster } = await start();
    await using _ = cluster;
    await rounds(cluster, 1);
    assert.equal(await size(cluster), 2);
    assert.ok((await conditions(cluster)).includes("ScalingActive False FailedGetResourceMetric"));
    const [message = ""] = await cluster.events("FailedComputeMetricsReplicas");
    assert.match(
      message,
      /^invalid metrics \(1 invalid out of 1\), first error is: failed to get cpu resource metric value: failed to get cpu utilization: /,
    );
    await cluster.client.delete(resources.deployments, "web", inDefault);
    await rounds(cluster, 1);
    assert.ok((await conditions(cluster)).includes("AbleToScale False FailedGetScale"));
  });

  it("follows what one container of its pods uses, whatever the others do", async () => {
    const target = { type: "Utilization", averageUtilization: 50 };
    const { cluster, metrics } = await start({
      metrics: [{ type: "ContainerResource", containerResource: { name: "cpu", container: "c", target } }],
    });
    await using _ = cluster;
    metrics.perPod = 10_000;
    metrics.perContainer.set("c", 750);
    await cluster.clock.advance(1000);
    assert.equal(await size(cluster), 3);
    const { status } = await cluster.client.get(resources.horizontalpodautoscalers, "web", inDefault);
    assert.deepEqual(status?.currentMetrics?.[0]?.containerResource, {
      name: "cpu",
      container: "c",
      current: { averageUtilization: 75, averageValue: "750m" },
    });
    metrics.perContainer.clear();
    await rounds(cluster, 1);
    assert.ok((await conditions(cluster)).includes("ScalingActive False FailedGetContainerResourceMetric"));
  });

  it("follows the metric that calls for most, of pods, objects and from outside", async () => {
    const identifier = { name: "requests" };
    const podsMetric: MetricSpec = { type: "Pods", pods: { metric: identifier, target: { type: "AverageValue", averageValue: "1" } } };
    const describedObject = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", name: "front" };
    const objectMetric: MetricSpec = {
      type: "Object",
      object: { describedObject, metric: identifier, target: { type: "Value", value: "10" } },
    };
    const externalMetric: MetricSpec = {
      type: "External",
      external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "10" } },
    };
    const { cluster, metrics } = await start({ metrics: [podsMetric, objectMetric, externalMetric] });
    await using _ = cluster;
    metrics.perPod = 1000;
    metrics.value = 35_000;
    await cluster.clock.advance(1000);
    // Pods call for 2, the object for 3.5 × 2, the queue for 3.5; twice the size is the most at once.
    assert.equal(await size(cluster), 4);
    assert.deepEqual(await cluster.events("SuccessfulRescale"), ["New size: 4; reason: Ingress metric requests above target"]);
    const { status } = await cluster.client.get(resources.horizontalpodautoscalers, "web", inDefault);
    assert.deepEqual(
      status?.currentMetrics?.map(({ pods, object, external }) => (pods ?? object ?? external)?.current),
      [{ averageValue: "1" }, { value: "35" }, { averageValue: "17500m" }],
    );
  });
});
