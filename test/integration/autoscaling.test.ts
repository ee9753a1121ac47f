import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../src/api/index.ts";
import { createCluster } from "../../src/testing/index.ts";

const inDefault = { namespace: "default" };

describe("a HorizontalPodAutoscaler over the metrics API", () => {
  it("grows a deployment to what its pods use, and shrinks it when they rest", async () => {
    await using cluster = await createCluster({ nodes: 3 });
    const labels = { app: "web" };
    // Each pod works for ten minutes from its start.
    const annotations = { "sim.k8ts.dev/cpu-cores": "0.3,600:0.01" };
    const containers = [{ name: "c", image: "web", resources: { requests: { cpu: "100m" } } }];
    const template = { metadata: { labels, annotations }, spec: { containers } };
    await cluster.client.create(resources.deployments, {
      metadata: { name: "web", ...inDefault },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    });
    const metric = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 100 } } };
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
    await cluster.client.create(resources.horizontalpodautoscalers, {
      metadata: { name: "web", ...inDefault },
      spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 4, metrics: [metric] },
    });
    const replicas = async () => (await cluster.client.get(resources.deployments, "web", inDefault)).spec?.replicas;
    await cluster.clock.advance(300_000);
    assert.equal(await replicas(), 4);
    const { status } = await cluster.client.get(resources.horizontalpodautoscalers, "web", inDefault);
    assert.equal(status?.currentMetrics?.[0]?.resource?.current.averageUtilization, 300);
    await cluster.clock.advance(1_800_000);
    assert.equal(await replicas(), 1);
  });
});
