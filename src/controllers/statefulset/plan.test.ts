import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StatefulSet, StatefulSetSpec } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { statefulPod } from "./identity.ts";
import { planStatefulSet, type StatefulSnapshot } from "./plan.ts";
import { statefulSetStatus } from "./status.ts";

const NOW_MS = Date.parse("2026-01-01T01:00:00Z");

function set(overrides: Partial<StatefulSetSpec> = {}): StatefulSet {
  const selector = { matchLabels: { app: "db" } };
  const template = { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 0 } };
  return { metadata: { name: "db", namespace: "default" }, spec: { replicas: 3, selector, template, updateStrategy, ...overrides } };
}

interface PodState {
  readonly revision?: string;
  readonly isReady?: boolean;
  readonly phase?: string;
  readonly isLeaving?: boolean;
  readonly readySince?: string;
}

function pod(ordinal: number, { revision = "new", isReady = true, phase = "Running", isLeaving, readySince }: PodState = {}): Pod {
  return {
    metadata: {
      name: `db-${ordinal}`,
      labels: { "controller-revision-hash": revision },
      ...(isLeaving === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    status: { phase, conditions: [{ type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: readySince }] },
  };
}

function snapshot(pods: readonly Pod[], overrides: Partial<StatefulSetSpec> = {}, currentRevision = "new"): StatefulSnapshot {
  return { set: set(overrides), pods, currentRevision, updateRevision: "new", nowMs: NOW_MS };
}

/** What changes, in short: `create 0`, `delete db-1`. */
function changes(input: StatefulSnapshot): string[] {
  return planStatefulSet(input)
    .filter(({ type }) => type !== "repair")
    .map((action) =>
      action.type === "create" ? `create ${action.ordinal} ${action.revision}` : `${action.type} ${action.pod.metadata.name}`,
    );
}

const parallel = { podManagementPolicy: "Parallel" };
const notReady = { isReady: false };
const old = { revision: "old" };

describe("an ordered stateful set", () => {
  it("makes one pod at a time, when those before it are up", () => {
    assert.deepEqual(changes(snapshot([])), ["create 0 new"]);
    assert.deepEqual(changes(snapshot([pod(0, notReady)])), []);
    assert.deepEqual(changes(snapshot([pod(0)])), ["create 1 new"]);
    assert.deepEqual(changes(snapshot([pod(0), pod(2)])), ["create 1 new"]);
  });

  it("waits until a pod has been ready for minReadySeconds", () => {
    const since = (readySince: string) => snapshot([pod(0, { readySince })], { minReadySeconds: 10 });
    assert.deepEqual(changes(since("2026-01-01T00:59:55Z")), []);
    assert.deepEqual(changes(since("2026-01-01T00:59:50Z")), ["create 1 new"]);
  });

  it("deletes from the last to the first, one at a time, and only when all before are up", () => {
    const all = [pod(0), pod(1), pod(2)];
    assert.deepEqual(changes(snapshot(all, { replicas: 1 })), ["delete db-2"]);
    assert.deepEqual(changes(snapshot([pod(0), pod(1), pod(2, { isLeaving: true })], { replicas: 1 })), []);
    assert.deepEqual(changes(snapshot([pod(0, notReady), pod(1), pod(2)], { replicas: 1 })), []);
    assert.deepEqual(changes(snapshot([pod(0), pod(1, notReady), pod(2)], { replicas: 1 })), ["delete db-2"]);
    assert.deepEqual(changes(snapshot([pod(0), pod(1, notReady), pod(2, notReady)], { replicas: 1 })), []);
    assert.deepEqual(changes(snapshot([pod(0), pod(1), pod(2, notReady)], { replicas: 1 })), ["delete db-2"]);
  });

  it("makes pods that have ended anew, and waits for one that leaves", () => {
    assert.deepEqual(changes(snapshot([pod(0, { phase: "Failed" }), pod(1)])), ["recreate db-0"]);
    assert.deepEqual(changes(snapshot([pod(0, { phase: "Succeeded" }), pod(1)])), ["recreate db-0"]);
    assert.deepEqual(changes(snapshot([pod(0, { phase: "Failed", isLeaving: true }), pod(1)])), []);
    assert.deepEqual(changes(snapshot([pod(0, { isLeaving: true }), pod(1)])), []);
  });

  it("counts from its first ordinal", () => {
    const ordinals = { start: 5 };
    assert.deepEqual(changes(snapshot([], { ordinals })), ["create 5 new"]);
    assert.deepEqual(changes(snapshot([pod(0), pod(5)], { replicas: 1, ordinals })), ["delete db-0"]);
  });

  it("does nothing when it is being deleted", () => {
    const leaving = { ...set(), metadata: { name: "db", deletionTimestamp: "2026-01-01T00:00:00Z" } };
    assert.deepEqual(planStatefulSet({ ...snapshot([]), set: leaving }), []);
  });
});

describe("a parallel stateful set", () => {
  it("makes and deletes all at once", () => {
    assert.deepEqual(changes(snapshot([pod(1, notReady)], parallel)), ["create 0 new", "create 2 new"]);
    assert.deepEqual(changes(snapshot([pod(0, notReady), pod(1), pod(2)], { ...parallel, replicas: 1 })), ["delete db-2", "delete db-1"]);
  });
});

describe("a stateful set's rolling update", () => {
  it("replaces the last old pod first, and waits for it", () => {
    assert.deepEqual(changes(snapshot([pod(0, old), pod(1, old), pod(2, old)], {}, "old")), ["delete db-2"]);
    assert.deepEqual(changes(snapshot([pod(0, old), pod(1, old), pod(2, notReady)], {}, "old")), []);
    assert.deepEqual(changes(snapshot([pod(0, old), pod(1, old), pod(2)], {}, "old")), ["delete db-1"]);
  });

  it("leaves pods below the partition, and makes them of the revision that they had", () => {
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 2 } };
    assert.deepEqual(changes(snapshot([pod(0, old), pod(1, old), pod(2)], { updateStrategy }, "old")), []);
    assert.deepEqual(changes(snapshot([pod(0, old), pod(2)], { updateStrategy }, "old")), ["create 1 old"]);
    assert.deepEqual(changes(snapshot([pod(0, old), pod(1, old)], { updateStrategy }, "old")), ["create 2 new"]);
  });

  it("replaces as many at once as may be unavailable, those first that do not work", () => {
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 2 } };
    const all = [pod(0, old), pod(1, old), pod(2, old)];
    assert.deepEqual(changes(snapshot(all, { updateStrategy }, "old")), ["delete db-2", "delete db-1"]);
    const broken = [pod(0, { ...old, isReady: false }), pod(1, old), pod(2, old)];
    assert.deepEqual(changes(snapshot(broken, { ...parallel, updateStrategy }, "old")), ["delete db-0", "delete db-2"]);
    const half = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } };
    assert.deepEqual(changes(snapshot(all, { updateStrategy: half }, "old")), ["delete db-2"]);
  });

  it("is left to deletions by hand with OnDelete", () => {
    const updateStrategy = { type: "OnDelete" };
    assert.deepEqual(changes(snapshot([pod(0, old), pod(1, old), pod(2, old)], { updateStrategy }, "old")), []);
    assert.deepEqual(changes(snapshot([pod(0, old), pod(2, old)], { updateStrategy }, "old")), ["create 1 new"]);
  });
});

describe("a stateful set's status", () => {
  it("counts pods by revision until the update is complete, then the new revision is the current one", () => {
    const during = statefulSetStatus(snapshot([pod(0, old), pod(1, old), pod(2, notReady)], {}, "old"));
    assert.deepEqual(
      [
        during.replicas,
        during.readyReplicas,
        during.availableReplicas,
        during.currentReplicas,
        during.updatedReplicas,
        during.currentRevision,
      ],
      [3, 2, 2, 2, 1, "old"],
    );
    const after = statefulSetStatus(snapshot([pod(0), pod(1), pod(2)], {}, "old"));
    assert.deepEqual([after.currentRevision, after.currentReplicas, after.updatedReplicas], ["new", 3, 3]);
  });
});

describe("a stateful set's pod", () => {
  it("has a name, a host name, labels and claims of its own", () => {
    const claims = [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } }];
    const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "u" };
    const template = {
      metadata: { labels: { app: "db" } },
      spec: { containers: [], volumes: [{ name: "data", emptyDir: {} }, { name: "tmp" }] },
    };
    const made = statefulPod(set({ volumeClaimTemplates: claims, serviceName: "db-peers" }), 4, { template, revision: "db-abc", owner });
    assert.deepEqual(made.metadata.labels, {
      app: "db",
      "statefulset.kubernetes.io/pod-name": "db-4",
      "apps.kubernetes.io/pod-index": "4",
      "controller-revision-hash": "db-abc",
    });
    assert.deepEqual([made.metadata.name, made.spec?.hostname, made.spec?.subdomain], ["db-4", "db-4", "db-peers"]);
    assert.deepEqual(made.spec?.volumes, [
      { name: "data", persistentVolumeClaim: { claimName: "data-db-4", readOnly: false } },
      { name: "tmp" },
    ]);
  });
});
