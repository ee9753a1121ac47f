import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Deployment, ReplicaSet } from "../../api/types/apps/v1.ts";
import { planDeployment } from "./plan.ts";
import { rolloutLimits } from "./rollout.ts";
import { deploymentStatus } from "./status.ts";

const template = (image: string) => ({ metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } });

function deployment(overrides: Partial<NonNullable<Deployment["spec"]>> = {}): Deployment {
  const spec = {
    replicas: 4,
    selector: { matchLabels: { app: "web" } },
    template: template("v2"),
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...overrides,
  };
  return { metadata: { name: "web", namespace: "default", uid: "d", generation: 1 }, spec };
}

interface SetShape {
  readonly image: string;
  readonly replicas: number;
  readonly available?: number;
  readonly revision?: number;
  readonly desired?: number;
}

function set(name: string, { image, replicas, available = replicas, revision = 1, desired = 4 }: SetShape): ReplicaSet {
  const annotations = {
    "deployment.kubernetes.io/revision": `${revision}`,
    "deployment.kubernetes.io/desired-replicas": `${desired}`,
    "deployment.kubernetes.io/max-replicas": `${desired + 1}`,
  };
  return {
    metadata: { name, uid: name, generation: 1, annotations, creationTimestamp: `2026-01-0${revision}T00:00:00Z` },
    spec: { replicas, selector: {}, template: template(image) },
    status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}

const plan = (owner: Deployment, sets: ReplicaSet[], oldPods = 0) =>
  planDeployment({ deployment: owner, sets, oldPods: () => Array.from({ length: oldPods }, () => ({ metadata: {} })) });
const sizes = (owner: Deployment, sets: ReplicaSet[], oldPods = 0) =>
  Object.fromEntries(plan(owner, sets, oldPods).changes.map((change) => [change.set.metadata.name, change.replicas]));

describe("planDeployment", () => {
  it("makes the first set at full size", () => {
    assert.deepEqual(plan(deployment(), []).create, { replicas: 4, revision: 1 });
  });

  it("starts a rolling update with the surge, as the next revision", () => {
    assert.deepEqual(plan(deployment(), [set("old", { image: "v1", replicas: 4, revision: 3 })]).create, { replicas: 1, revision: 4 });
  });

  it("shrinks the old set by what may be unavailable, not by more", () => {
    const step = sizes(deployment(), [
      set("old", { image: "v1", replicas: 4 }),
      set("new", { image: "v2", replicas: 1, available: 0, revision: 2 }),
    ]);
    assert.equal(step["old"], 3);
  });

  it("takes pods that do not work first, even when nothing else may go", () => {
    const broken = [
      set("broken", { image: "v0", replicas: 2, available: 0 }),
      set("old", { image: "v1", replicas: 3, revision: 2 }),
      set("new", { image: "v2", replicas: 0, revision: 3 }),
    ];
    assert.deepEqual([sizes(deployment(), broken)["broken"], sizes(deployment(), broken)["old"]], [0, undefined]);
  });

  it("recreates only after every old pod has ended", () => {
    const owner = deployment({ strategy: { type: "Recreate" } });
    assert.deepEqual(sizes(owner, [set("old", { image: "v1", replicas: 4 })]), { old: 0 });
    const drained = [set("old", { image: "v1", replicas: 0 })];
    assert.equal(plan(owner, drained, 1).create, undefined);
    assert.deepEqual(plan(owner, drained, 0).create, { replicas: 4, revision: 2 });
  });

  it("shares a change of size out in proportion while a rollout is under way", () => {
    const sets = [
      set("old", { image: "v1", replicas: 8, desired: 10 }),
      set("new", { image: "v2", replicas: 3, available: 0, revision: 2, desired: 10 }),
    ];
    const step = sizes(
      deployment({ replicas: 20, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 2 } } }),
      sets,
    );
    assert.equal((step["old"] ?? 0) + (step["new"] ?? 0), 21);
    assert.ok((step["old"] ?? 0) > (step["new"] ?? 0));
  });

  it("keeps a paused deployment's sets but follows its size", () => {
    const owner = deployment({ paused: true, replicas: 6 });
    const step = plan(owner, [set("old", { image: "v1", replicas: 4 })]);
    assert.deepEqual([step.create, step.changes.map((change) => change.replicas)], [undefined, [6]]);
  });

  it("brings an earlier set back as the newest revision and remembers its old one", () => {
    const [change] = plan(deployment(), [
      set("back", { image: "v2", replicas: 0, revision: 1 }),
      set("old", { image: "v1", replicas: 4, revision: 2 }),
    ]).changes;
    assert.deepEqual(
      [
        change?.set.metadata.name,
        change?.annotations["deployment.kubernetes.io/revision"],
        change?.annotations["deployment.kubernetes.io/revision-history"],
      ],
      ["back", "3", "1"],
    );
  });

  it("deletes the oldest empty sets beyond the history limit", () => {
    const sets = [1, 2, 3].map((revision) => set(`old${revision}`, { image: `v0.${revision}`, replicas: 0, revision }));
    const world = [...sets, set("new", { image: "v2", replicas: 4, revision: 4 })];
    const owner = deployment({ revisionHistoryLimit: 1 });
    assert.deepEqual(plan(owner, world).delete, [], "not while a rollout is under way");
    const status = { observedGeneration: 1, replicas: 4, updatedReplicas: 4, availableReplicas: 4 };
    const step = plan({ ...owner, status }, world);
    assert.deepEqual(
      step.delete.map((each) => each.metadata.name),
      ["old1", "old2"],
    );
  });

  it("reaches the wanted state from anywhere and never leaves its limits on the way", () => {
    const shape = fc.record({
      replicas: fc.integer({ min: 0, max: 12 }),
      old: fc.integer({ min: 0, max: 12 }),
      surge: fc.integer({ min: 0, max: 3 }),
      unavailable: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(shape, ({ replicas, old, surge, unavailable }) => {
        const owner = deployment({
          replicas,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
        });
        let world = [set("old", { image: "v1", replicas: old, desired: replicas })];
        const { maxSurge, maxUnavailable } = rolloutLimits(owner);
        for (let i = 0; i < 60; i++) {
          const step = plan(owner, world);
          if (step.create === undefined && step.changes.length === 0) break;
          world = world.map((each) => {
            const change = step.changes.find((candidate) => candidate.set === each);
            return change === undefined
              ? each
              : set(each.metadata.name ?? "", {
                  image: each.metadata.name === "old" ? "v1" : "v2",
                  replicas: change.replicas,
                  revision: each.metadata.name === "old" ? 1 : 2,
                  desired: replicas,
                });
          });
          if (step.create !== undefined)
            world.push(set("new", { image: "v2", replicas: step.create.replicas, revision: 2, desired: replicas }));
          const total = world.reduce((sum, each) => sum + (each.spec?.replicas ?? 0), 0);
          assert.ok(total <= Math.max(replicas + maxSurge, old), `${total} pods`);
          assert.ok(total >= Math.min(replicas - maxUnavailable, old), `only ${total} pods`);
        }
        assert.deepEqual(
          world.map((each) => each.spec?.replicas),
          [0, replicas],
        );
      }),
    );
  });
});

describe("deploymentStatus", () => {
  const nowMs = Date.parse("2026-01-10T00:00:00Z");

  it("reports a finished rollout", () => {
    const { status } = deploymentStatus({ deployment: deployment(), newSet: set("new", { image: "v2", replicas: 4 }), oldSets: [], nowMs });
    assert.deepEqual(
      status.conditions?.map(({ type, status: value, reason }) => `${type}=${value} ${reason}`),
      ["Available=True MinimumReplicasAvailable", "Progressing=True NewReplicaSetAvailable"],
    );
  });

  it("gives up on progress when the deadline is over", () => {
    const lastUpdateTime = "2026-01-09T23:49:59Z";
    const stuck = {
      ...deployment(),
      status: {
        replicas: 1,
        updatedReplicas: 1,
        observedGeneration: 1,
        conditions: [{ type: "Progressing", status: "True", reason: "ReplicaSetUpdated", lastUpdateTime }],
      },
    };
    const { status } = deploymentStatus({
      deployment: stuck,
      newSet: set("new", { image: "v2", replicas: 1, available: 0 }),
      oldSets: [],
      nowMs,
    });
    const progressing = status.conditions?.find((condition) => condition.type === "Progressing");
    assert.deepEqual(
      [progressing?.status, progressing?.reason, progressing?.message],
      ["False", "ProgressDeadlineExceeded", 'ReplicaSet "new" has timed out progressing.'],
    );
  });

  const progressing = (of: Deployment, newSet: ReplicaSet | undefined, extra: { isCreated?: boolean } = {}) =>
    deploymentStatus({ deployment: of, newSet, oldSets: [], nowMs, ...extra }).status.conditions?.find(
      ({ type }) => type === "Progressing",
    );

  it("tells whether the newest set was made or found", () => {
    const newSet = set("new", { image: "v2", replicas: 4, available: 0 });
    assert.equal(progressing(deployment(), newSet, { isCreated: true })?.message, 'Created new replica set "new"');
    assert.equal(progressing(deployment(), newSet)?.message, 'Found new replica set "new"');
  });

  it("leaves a finished rollout finished when pods come and go", () => {
    const conditions = [{ type: "Progressing", status: "True", reason: "NewReplicaSetAvailable", lastUpdateTime: "2026-01-01T00:00:00Z" }];
    const finished = { ...deployment(), status: { replicas: 4, updatedReplicas: 4, readyReplicas: 2, observedGeneration: 1, conditions } };
    assert.equal(progressing(finished, set("new", { image: "v2", replicas: 4, available: 3 }))?.reason, "NewReplicaSetAvailable");
  });

  it("has no Progressing condition without a deadline", () => {
    const newSet = set("new", { image: "v2", replicas: 4 });
    assert.equal(progressing(deployment({ progressDeadlineSeconds: 2 ** 31 - 1 }), newSet), undefined);
  });

  it("sums up pods that are on their way out, once every set tells of them", () => {
    const newSet = set("new", { image: "v2", replicas: 4 });
    const telling = { ...newSet, status: { ...newSet.status, replicas: 4, terminatingReplicas: 2 } };
    const sum = (...oldSets: ReplicaSet[]) =>
      deploymentStatus({ deployment: deployment(), newSet: telling, oldSets, nowMs }).status.terminatingReplicas;
    assert.equal(sum({ ...telling, status: { replicas: 0, terminatingReplicas: 1 } }), 3);
    assert.equal(sum(newSet), undefined);
  });
});
