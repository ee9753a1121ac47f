import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { resources } from "../../api/index.ts";
import type { ObjectMeta, OwnerReference } from "../../machinery/index.ts";
import { type GraphChange, OwnerGraph } from "./owner-graph.ts";

const AT = "2026-01-01T00:00:00Z";

function reference(uid: string, blockOwnerDeletion = false): OwnerReference {
  return { apiVersion: "v1", kind: "ConfigMap", name: uid, uid, blockOwnerDeletion };
}

function observe(graph: OwnerGraph, uid: string, metadata: ObjectMeta = {}, namespace = "default"): GraphChange {
  return graph.observe({ resource: resources.configmaps, namespace, name: uid }, { ...metadata, uid });
}

const foreground = { deletionTimestamp: AT, finalizers: ["foregroundDeletion"] };

describe("owner graph", () => {
  it("has a dependent looked at when its owner is not known, and not when it is", () => {
    const graph = new OwnerGraph();
    assert.deepEqual(observe(graph, "a", { ownerReferences: [reference("owner")] }).check, ["a"]);
    assert.deepEqual(observe(graph, "owner").check, []);
    assert.deepEqual(observe(graph, "b", { ownerReferences: [reference("owner")] }).check, []);
    assert.deepEqual(observe(graph, "c", { ownerReferences: [{ ...reference("owner"), name: "other" }] }).check, ["c"]);
  });

  it("has all dependents looked at when their owner goes", () => {
    const graph = new OwnerGraph();
    observe(graph, "owner");
    for (const uid of ["a", "b"]) observe(graph, uid, { ownerReferences: [reference("owner")] });
    assert.deepEqual(graph.forget("owner").check, ["a", "b"]);
    for (const uid of ["a", "b"]) graph.forget(uid);
    assert.equal(graph.size, 0);
  });

  it("has an owner deleted in the foreground looked at again only when the last dependent that blocks it is gone", () => {
    const graph = new OwnerGraph();
    observe(graph, "owner");
    for (const uid of ["a", "b"]) observe(graph, uid, { ownerReferences: [reference("owner", true)] });
    observe(graph, "c", { ownerReferences: [reference("owner")] });
    assert.deepEqual(observe(graph, "owner", foreground).check, ["a", "b", "c", "owner"]);
    assert.deepEqual(graph.forget("a").check, []);
    assert.deepEqual(observe(graph, "b", { ownerReferences: [reference("owner", false)] }).check, ["owner", "b"]);
    assert.equal(graph.get("owner")?.blockingDependents, 0);
  });

  it("tells of owners in another namespace, whichever is seen first", () => {
    const graph = new OwnerGraph();
    observe(graph, "early", { ownerReferences: [reference("owner")] }, "other");
    const texts = ({ invalid }: GraphChange) => invalid.map((each) => `${each.dependent.uid} ${each.reference.uid}`);
    assert.deepEqual(texts(observe(graph, "owner")), ["early owner"]);
    assert.deepEqual(texts(observe(graph, "late", { ownerReferences: [reference("owner")] }, "other")), ["late owner"]);
    assert.deepEqual(texts(observe(graph, "good", { ownerReferences: [reference("owner")] })), []);
  });

  it("is, after any changes, what a graph made of the objects alone would be", () => {
    const uid = fc.constantFrom("a", "b", "c", "d", "e");
    const owners = fc.array(fc.record({ uid, blocks: fc.boolean() }), { maxLength: 4 });
    const step = fc.record({ uid, owners: fc.option(owners), isDeleting: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const graph = new OwnerGraph();
        const objects = new Map<string, ObjectMeta>();
        for (const each of steps) {
          if (each.owners === null) {
            graph.forget(each.uid);
            objects.delete(each.uid);
            continue;
          }
          const ownerReferences = each.owners.map((owner) => reference(owner.uid, owner.blocks));
          const metadata = { ownerReferences, ...(each.isDeleting ? foreground : {}) };
          observe(graph, each.uid, metadata);
          objects.set(each.uid, metadata);
        }
        checkAgainst(graph, objects);
      }),
    );
  });
});

function checkAgainst(graph: OwnerGraph, objects: ReadonlyMap<string, ObjectMeta>): void {
  const known = new Set(objects.keys());
  for (const [uid, { ownerReferences = [] }] of objects) for (const owner of ownerReferences) if (owner.uid !== uid) known.add(owner.uid);
  assert.equal(graph.size, known.size);
  for (const uid of known) {
    const node = graph.get(uid);
    const refersTo = (metadata: ObjectMeta, blocking: boolean) =>
      metadata.ownerReferences?.some((each) => each.uid === uid && (!blocking || each.blockOwnerDeletion === true)) === true;
    const others = [...objects].filter(([other]) => other !== uid);
    const dependents = others.filter(([, metadata]) => refersTo(metadata, false)).map(([other]) => other);
    assert.deepEqual(new Set([...(node?.dependents ?? [])].map((each) => each.uid)), new Set(dependents));
    assert.equal(node?.blockingDependents, others.filter(([, metadata]) => refersTo(metadata, true)).length);
    assert.equal(node?.place !== undefined, objects.has(uid));
    assert.equal(node?.deletion, objects.get(uid)?.deletionTimestamp === undefined ? "none" : "foreground");
  }
}
