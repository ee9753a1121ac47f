import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { builtInCatalog, resources } from "../api/index.ts";
import { SeededRandom, VirtualClock } from "../base/index.ts";
import { isConflict, labelSetMatcher, objectModified } from "../machinery/index.ts";
import { carryOutClaims, claimObjects, newControllerRef, StaleControllerError } from "./controller-ref.ts";
import { ControllerExpectations } from "./expectations.ts";
import { FakeHandler } from "./fake-handler.ts";
import { LocalClient } from "./local/local-client.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

const controller = { metadata: { namespace: "ns", name: "rs", uid: "rs-uid" } };
const owner = newControllerRef(controller, { apiVersion: "apps/v1", kind: "ReplicaSet" });
const selector = labelSetMatcher({ app: "x" });

function pod(name: string, app: string, more: object = {}) {
  return { metadata: { namespace: "ns", name, labels: { app }, ...more } };
}

const objects = [
  pod("owned", "x", { ownerReferences: [owner] }),
  pod("strayed", "y", { ownerReferences: [owner] }),
  pod("others", "x", { ownerReferences: [{ ...owner, uid: "other" }] }),
  pod("orphan", "x"),
  pod("leaving", "x", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  pod("elsewhere", "x", { namespace: "ns2" }),
  pod("unrelated", "y"),
];

function names(leader: object) {
  const plan = claimObjects({ controller: { metadata: { ...controller.metadata, ...leader } }, objects, selector });
  const of = (list: typeof plan.claimed) => list.map((object) => object.metadata.name);
  return { claimed: of(plan.claimed), adopt: of(plan.adopt), release: of(plan.release) };
}

describe("claimObjects", () => {
  test("keeps what matches, adopts orphans, releases what strayed", () => {
    assert.deepEqual(names({}), { claimed: ["owned"], adopt: ["orphan"], release: ["strayed"] });
  });

  test("neither adopts nor releases for a controller that is being deleted", () => {
    assert.deepEqual(names({ deletionTimestamp: "2026-01-01T00:00:00Z" }), { claimed: ["owned"], adopt: [], release: [] });
  });

  test("does not adopt for a controller that has been replaced", async () => {
    const handler = new FakeHandler();
    const client = new LocalClient({ handler, catalog: builtInCatalog(), user: { name: "test", groups: [] }, userAgent: "test" });
    const { metadata } = await client.create(resources.replicasets, { metadata: { namespace: "ns", name: "rs" } });
    const orphan = await client.create(resources.pods, pod("orphan", "x"));
    const claims = { claimed: [], adopt: [orphan], release: [] };
    const work = { client, controllerResource: resources.replicasets, resource: resources.pods, claims };
    await assert.rejects(carryOutClaims({ ...work, controller }), StaleControllerError);
    const [adopted] = await carryOutClaims({ ...work, controller: { metadata } });
    assert.equal(adopted?.metadata.ownerReferences?.[0]?.uid, metadata.uid);
  });
});

test("ControllerExpectations hold until all is seen, or five minutes have passed", async () => {
  const clock = new VirtualClock();
  const expectations = new ControllerExpectations(clock);
  expectations.expect("rs", { creations: 1, deletions: ["a"] });
  expectations.creationObserved("rs");
  expectations.deletionObserved("rs", "b");
  assert.equal(expectations.isSatisfied("rs"), false);
  expectations.deletionObserved("rs", "a");
  assert.equal(expectations.isSatisfied("rs"), true);
  expectations.expect("rs", { creations: 2 });
  await clock.advance(300_000);
  assert.equal(expectations.isSatisfied("rs"), false);
  await clock.advance(1);
  assert.equal(expectations.isSatisfied("rs"), true);
});

test("retryOnConflict tries five times and passes other errors on", async () => {
  const clock = new VirtualClock();
  let tries = 0;
  const attempt = async () => {
    if (++tries < 6) throw objectModified({ group: "", resource: "pods" }, "a");
  };
  const result = assert.rejects(retryOnConflict(attempt, { clock, random: new SeededRandom(1) }), isConflict);
  await clock.advance(1000);
  await result;
  assert.equal(tries, 5);
});
