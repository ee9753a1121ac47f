import assert from "node:assert/strict";
import { test } from "node:test";
import type { Draft } from "../registry/draft.ts";
import { EntryFactory } from "./cache-entry.ts";

const pod = (name: string, rest: object = {}): Draft => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: "web" } },
  spec: { containers: [{ name: "web", env: [{ name: "A", value: "1" }] }], ...rest },
});

function stored(entries: EntryFactory, object: Draft, revision: number): Draft {
  const key = `/registry/core/pods/default/${object.metadata.name}`;
  const entry = entries.entry({ key, value: entries.encodeNew(object), createRevision: revision, modRevision: revision });
  return entry.object as unknown as Draft;
}

test("new objects share what they have in common with the one before", () => {
  const entries = new EntryFactory({ deepFreezes: true });
  const first = stored(entries, pod("a"), 1);
  const second = stored(entries, pod("b"), 2);
  assert.equal(second["spec"], first["spec"]);
  assert.equal(second.metadata.labels, first.metadata.labels);
  assert.deepEqual(second, { ...pod("b"), metadata: { ...pod("b").metadata, resourceVersion: "2" } });

  const third = stored(
    entries,
    pod("c", { nodeName: "n", containers: [{ name: "web", env: [{ name: "A", value: "1" }], image: "x" }] }),
    3,
  );
  const containersOf = (object: Draft) => (object["spec"] as { containers: { env: object }[] }).containers;
  assert.equal(containersOf(third)[0]?.env, containersOf(first)[0]?.env);
  assert.deepEqual(Object.keys(third["spec"] as object), ["containers", "nodeName"]);
  assert.equal((first["spec"] as { nodeName?: string }).nodeName, undefined);
});

test("objects that are parsed share what they have in common with the one before", () => {
  const entries = new EntryFactory({ deepFreezes: true });
  const parsed = (name: string) => {
    const value = new TextEncoder().encode(JSON.stringify(pod(name)));
    return entries.entry({ key: `/registry/core/pods/default/${name}`, value, createRevision: 1, modRevision: 1 }).object;
  };
  const [first, second] = [parsed("a") as unknown as Draft, parsed("b") as unknown as Draft];
  assert.equal(second["spec"], first["spec"]);
  assert.equal(second.metadata.labels, first.metadata.labels);
  assert.deepEqual(second, { ...pod("b"), metadata: { ...pod("b").metadata, resourceVersion: "1" } });
});

test("an object is parsed from its bytes only if this process has not written them", () => {
  const entries = new EntryFactory({ deepFreezes: false });
  const object = pod("a");
  const value = entries.encode(object);
  const at = (revision: number, bytes: Uint8Array) =>
    entries.entry({ key: "/registry/core/pods/default/a", value: bytes, createRevision: revision, modRevision: revision }).object;
  assert.equal(at(1, value)["metadata"], object.metadata);
  assert.deepEqual(at(2, Uint8Array.from(value)), { ...pod("a"), metadata: { ...pod("a").metadata, resourceVersion: "2" } });
});
