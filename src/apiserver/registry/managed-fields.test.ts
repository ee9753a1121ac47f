import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Stored } from "../../api/index.ts";
import type { ManagedFieldsEntry } from "../../machinery/index.ts";
import type { AdmissionPlugin } from "../admission/admission.ts";
import { CoreFixture } from "./testing/core-fixture.ts";

const entries = ({ object }: Stored) => (object.metadata.managedFields ?? []) as ManagedFieldsEntry[];
const fieldsOf = (stored: Stored, index = 0) => entries(stored)[index]?.fieldsV1 as Record<string, unknown>;
const configMap = (name: string, data: object = { a: "1" }) => ({ metadata: { name }, data });

/** Sets a label on everything, and on what is marked so puts `managedFields`. */
const labelling = (managedFields?: unknown): AdmissionPlugin => ({
  name: "Labelling",
  mutate({ object }) {
    if (object === undefined) return;
    object.metadata.labels = { ...object.metadata.labels, admitted: "yes" };
    if (managedFields !== undefined) object.metadata.managedFields = managedFields as ManagedFieldsEntry[];
  },
});

describe("what admission sets", () => {
  it("belongs to nobody, whoever created or changed the object", async () => {
    await using server = await CoreFixture.start({ admission: [labelling()] });
    const created = await server.create("configmaps", configMap("a"));
    assert.equal(created.object.metadata.labels?.["admitted"], "yes");
    assert.deepEqual(fieldsOf(created), { "f:data": { ".": {}, "f:a": {} } });
    const { object } = created;
    const stored = await server.update("configmaps", { ...object, data: { a: "1", b: "2" } } as never);
    assert.deepEqual(fieldsOf(stored), { "f:data": { ".": {}, "f:a": {}, "f:b": {} } });
  });

  it("of pods is no one's either: account, token and tolerations", async () => {
    await using server = await CoreFixture.start();
    await server.create("serviceaccounts", { metadata: { name: "default" } });
    const pod = await server.create("pods", { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } });
    const spec = pod.object as unknown as { spec: { tolerations: unknown[]; volumes: unknown[] } };
    assert.ok(spec.spec.tolerations.length > 0 && spec.spec.volumes.length > 0);
    const owned = Object.keys((fieldsOf(pod)["f:spec"] ?? {}) as object);
    assert.ok(owned.includes("f:restartPolicy"));
    for (const field of ["f:tolerations", "f:volumes", "f:serviceAccountName", "f:priority"]) assert.ok(!owned.includes(field), field);
  });

  it("in managedFields counts if it makes sense, else it is undone with a warning", async () => {
    const entry = { manager: "hook", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:data": {} } };
    await using good = await CoreFixture.start({ admission: [labelling([entry])] });
    assert.deepEqual(entries(await good.create("configmaps", configMap("a"))), [entry]);
    await using bad = await CoreFixture.start({ admission: [labelling([{ ...entry, fieldsType: "" }])] });
    assert.equal(entries(await bad.create("configmaps", configMap("a")))[0]?.manager, "test");
    assert.match(
      bad.warnings.at(-1) ?? "",
      /^.metadata.managedFields was in an invalid state after admission; .*: missing fieldsType in managed fields entry$/,
    );
  });
});
