// Patches and applied configurations, on a Pod.
import assert from "node:assert/strict";
import { typeFacts } from "../../../../src/api/index.ts";
import {
  ApplyConflictError,
  apply,
  applyJsonPatch,
  applyMergePatch,
  PatchError,
  strategicMergePatch,
  trackUpdate,
} from "../../../../src/machinery/index.ts";
import type { FuzzTarget } from "../target.ts";

const facts = typeFacts("core.v1.Pod");
const live = () => ({
  metadata: { name: "a", labels: { x: "1" }, finalizers: ["f", "g"] },
  spec: {
    containers: [
      { name: "c", image: "i", ports: [{ containerPort: 80, protocol: "TCP" }] },
      { name: "d", image: "j" },
    ],
  },
});

/** On every input that is JSON; the object that is patched stays as it is. */
function patching(patch: (original: unknown, patch: unknown) => unknown): (input: Buffer) => void {
  return (input) => {
    let value: unknown;
    try {
      value = JSON.parse(input.toString("utf8"));
    } catch {
      return;
    }
    const original = live();
    try {
      JSON.stringify(patch(original, value));
    } finally {
      assert.deepEqual(original, live());
    }
  };
}

const isRefusal = (error: unknown) => error instanceof PatchError || error instanceof ApplyConflictError;
const words = [
  '"__proto__":',
  "null",
  "{}",
  "[]",
  "0",
  '""',
  "-",
  "~1",
  '"name":"c"',
  '{"$patch":"replace"}',
  '"$patch":"delete"',
  "{",
  "}",
];

const writer = { facts, manager: "m", apiVersion: "v1", now: 0 };

function applied(original: unknown, configuration: unknown): unknown {
  return apply({ ...writer, live: original, applied: configuration }).object;
}

/** A client puts an object with these fields as those of an applier, who then applies less. */
function appliedAfter(original: unknown, fieldsV1: unknown): unknown {
  const given = [{ manager: "m", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1 }];
  const updated = { ...live(), metadata: { ...live().metadata, labels: { x: "2" }, managedFields: given } };
  const managedFields = trackUpdate({ ...writer, manager: "n", old: original, updated, operation: "Update" });
  return applied({ ...updated, metadata: { ...updated.metadata, managedFields } }, { metadata: { name: "a" } });
}

export const patchTargets: readonly FuzzTarget[] = [
  {
    name: "json-patch",
    corpus: [
      '[{"op":"test","path":"/spec/containers/0/name","value":"c"},{"op":"add","path":"/spec/containers/-","value":{"name":"e"}}]',
      '[{"op":"move","from":"/metadata/labels","path":"/metadata/a~1b"},{"op":"remove","path":"/spec/containers/1"},{"op":"copy","from":"","path":"/x"}]',
      '[{"op":"replace","path":"","value":null}]',
    ],
    words: [...words, "/", "-1", '"op":"add"'],
    run: patching(applyJsonPatch),
    isRefusal,
  },
  {
    name: "merge-patch",
    corpus: ['{"metadata":{"labels":{"x":null,"y":"2"}},"spec":{"containers":[]}}', "[1]", "null"],
    words,
    run: patching(applyMergePatch),
    isRefusal,
  },
  {
    name: "strategic-merge-patch",
    corpus: [
      '{"spec":{"$setElementOrder/containers":[{"name":"d"},{"name":"c"}],"containers":[{"name":"c","image":"k"},{"$patch":"delete","name":"d"}]}}',
      '{"metadata":{"$deleteFromPrimitiveList/finalizers":["f"],"labels":{"$patch":"replace"}},"spec":{"$retainKeys":["containers"]}}',
    ],
    words: [...words, '"$retainKeys":', '"$setElementOrder/containers":', '"$deleteFromPrimitiveList/finalizers":'],
    run: patching((original, patch) => strategicMergePatch(original, patch, facts)),
    isRefusal,
  },
  {
    name: "apply",
    corpus: ['{"metadata":{"name":"a","labels":{"y":"2"}},"spec":{"containers":[{"name":"c","ports":[{"containerPort":80}]}]}}'],
    words,
    run: patching(applied),
    isRefusal,
  },
  {
    name: "fields-v1",
    corpus: [
      '{"f:metadata":{"f:labels":{"f:x":{}},"f:finalizers":{"v:\\"f\\"":{}}},"f:spec":{"f:containers":{"k:{\\"name\\":\\"c\\"}":{".":{},"f:image":{}}}}}',
    ],
    words: ['"f:x":', '"k:{}":', '"v:1":', '"i:0":', '".":{}', ...words],
    run: patching(appliedAfter),
    isRefusal,
  },
];
