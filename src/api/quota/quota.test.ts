import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeObject } from "../../machinery/index.ts";
import { isInQuotaScopes, quotaEvaluator, quotaUsage } from "./quota.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const quotaOf = (hard: Record<string, string>, spec: object = {}) => ({ metadata: { name: "q" }, spec: { hard, ...spec } });
const podOf = (resources: object, spec: object = {}, more: object = {}): KubeObject =>
  ({ metadata: { name: "p" }, spec: { containers: [{ name: "c", resources }], ...spec }, ...more }) as KubeObject;
const pods = quotaEvaluator("", "pods");

describe("quota usage", () => {
  it("sums up what pods request and may use, in the form in which they ask", () => {
    const items = [
      podOf({ requests: { cpu: "500m", memory: "64Mi", "example.com/gpu": "1" }, limits: { cpu: "1" } }),
      podOf({ requests: { cpu: "250m", memory: "64Mi" } }),
    ];
    const hard = {
      pods: "5",
      cpu: "1",
      "requests.memory": "1Gi",
      "limits.cpu": "2",
      "requests.example.com/gpu": "2",
      "count/pods": "9",
      secrets: "3",
    };
    assert.deepEqual(quotaUsage(quotaOf(hard), [{ group: "", plural: "pods", items }], NOW), {
      pods: "2",
      cpu: "750m",
      "requests.memory": "128Mi",
      "limits.cpu": "1",
      "requests.example.com/gpu": "1",
      "count/pods": "2",
      secrets: "0",
    });
  });

  it("counts a pod that has ended, or should be gone, only as an object", () => {
    const ended = podOf({ requests: { cpu: "1" } }, {}, { status: { phase: "Succeeded" } });
    const metadata = { name: "p", deletionTimestamp: "2025-12-31T23:00:00Z", deletionGracePeriodSeconds: 30 };
    for (const pod of [ended, { ...podOf({}), metadata }]) assert.deepEqual(pods.usage(pod, NOW), { "count/pods": "1" });
  });

  it("counts claims by storage class, services by their ports, and any other kind by number", () => {
    const claim = {
      metadata: { name: "c" },
      spec: { storageClassName: "gold", resources: { requests: { storage: "1.5" } } },
    } as KubeObject;
    assert.deepEqual(quotaEvaluator("", "persistentvolumeclaims").usage(claim, NOW), {
      "count/persistentvolumeclaims": "1",
      persistentvolumeclaims: "1",
      "requests.storage": "2",
      "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
      "gold.storageclass.storage.k8s.io/requests.storage": "2",
    });
    const service = { metadata: { name: "s" }, spec: { type: "LoadBalancer", ports: [{ port: 1 }, { port: 2 }] } } as KubeObject;
    assert.equal(quotaEvaluator("", "services").usage(service, NOW)["services.nodeports"], "2");
    assert.deepEqual(quotaEvaluator("apps", "deployments").usage(service, NOW), { "count/deployments.apps": "1" });
    assert.deepEqual(quotaEvaluator("", "secrets").usage(service, NOW), { "count/secrets": "1", secrets: "1" });
  });
});

describe("quota scopes", () => {
  const matches = (pod: KubeObject, spec: object) => isInQuotaScopes(quotaOf({ pods: "1" }, spec), pods, pod);

  it("tell best-effort, terminating and cross-namespace pods apart", () => {
    const bestEffort = podOf({});
    const burstable = podOf({ requests: { cpu: "1" } }, { activeDeadlineSeconds: 60 });
    assert.deepEqual(
      ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating"].map((scope) => [
        matches(bestEffort, { scopes: [scope] }),
        matches(burstable, { scopes: [scope] }),
      ]),
      [
        [true, false],
        [false, true],
        [false, true],
        [true, false],
      ],
    );
    const term = { topologyKey: "zone", namespaces: ["other"] };
    const affine = podOf({}, { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } });
    assert.equal(matches(affine, { scopes: ["CrossNamespacePodAffinity"] }), true);
    assert.equal(matches(bestEffort, { scopes: ["CrossNamespacePodAffinity"] }), false);
  });

  it("select pods by their priority class", () => {
    const select = (operator: string, values: string[] = []) => ({
      scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator, values }] },
    });
    const high = podOf({}, { priorityClassName: "high" });
    assert.equal(matches(high, select("In", ["high", "low"])), true);
    assert.equal(matches(high, select("NotIn", ["high"])), false);
    assert.equal(matches(podOf({}), select("Exists")), false);
    assert.equal(matches(podOf({}), select("DoesNotExist")), true);
  });

  it("demand requests and limits of every container where cpu or memory is limited", () => {
    const why = pods.missing?.(podOf({ requests: { cpu: "1" } }), ["limits.cpu", "requests.cpu", "memory", "pods"]);
    assert.equal(why, "must specify limits.cpu for: c; memory for: c");
    assert.equal(pods.missing?.(podOf({}), ["pods"]), undefined);
  });
});
