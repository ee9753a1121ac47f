import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "../machinery/index.ts";
import { deploymentStrategy } from "./apps/deployment.ts";
import { autoscalerToV1, autoscalerToV2 } from "./autoscaling/conversion.ts";
import { builtInCatalog } from "./catalog.ts";
import { serviceStrategy } from "./core/service.ts";
import { humanDuration } from "./printing/duration.ts";
import { strategies } from "./strategies.ts";
import type { Deployment } from "./types/apps/v1.ts";
import type { Service } from "./types/core/v1.ts";

test("every strategy belongs to a resource of the table", () => {
  const ids = new Set(
    builtInCatalog()
      .all()
      .flatMap(({ group, version, resource }) => [`${group}/${resource}`, `${group}/${version}/${resource}`]),
  );
  assert.deepEqual(
    Object.keys(strategies).filter((id) => !ids.has(id)),
    [],
  );
});

test("a deployment gets upstream's defaults, and its selector must match its template", () => {
  const deployment: Deployment = {
    metadata: { name: "d" },
    spec: {
      selector: { matchLabels: { app: "a" } },
      template: { metadata: { labels: { app: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  };
  deploymentStrategy.applyDefaults?.(deployment);
  const { template: _, selector: __, ...defaults } = deployment.spec ?? { template: {}, selector: {} };
  assert.deepEqual(defaults, {
    replicas: 1,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  assert.deepEqual(
    deploymentStrategy.validate?.(deployment).map((error) => fieldErrorMessage(error)),
    ['spec.template.metadata.labels: Invalid value: {"app":"b"}: `selector` does not match template `labels`'],
  );
});

test("a service gets upstream's defaults and keeps its cluster IP", () => {
  const make = (clusterIP?: string): Service => {
    const service: Service = { metadata: { name: "s" }, spec: { ports: [{ port: 80 }], sessionAffinity: "ClientIP", clusterIP } };
    serviceStrategy.applyDefaults?.(service);
    return service;
  };
  assert.deepEqual(make("10.0.0.1").spec, {
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
    clusterIP: "10.0.0.1",
    clusterIPs: ["10.0.0.1"],
    type: "ClusterIP",
    internalTrafficPolicy: "Cluster",
  });
  const errors = serviceStrategy.validateUpdate?.(make("10.0.0.2"), make("10.0.0.1")) ?? [];
  assert.deepEqual(
    errors.map((error) => fieldErrorMessage(error)),
    ['spec.clusterIPs[0]: Invalid value: "10.0.0.2": may not change once set'],
  );
});

test("durations have two units only while the larger one is small", () => {
  const second = 1000;
  const texts = [45, 125, 600, 3 * 3600 + 60, 50 * 3600, 10 * 86400].map((seconds) => humanDuration(seconds * second));
  assert.deepEqual(texts, ["45s", "2m5s", "10m", "3h1m", "2d2h", "10d"]);
});

test("an autoscaler survives the way to v2 and back", () => {
  const v1 = {
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "h" },
    spec: { scaleTargetRef: { kind: "Deployment", name: "d" }, minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 70 },
  };
  const v2 = autoscalerToV2(v1);
  assert.equal(v2.spec.metrics?.[0]?.resource?.target.averageUtilization, 70);
  assert.deepEqual(autoscalerToV1(v2), v1);
});
