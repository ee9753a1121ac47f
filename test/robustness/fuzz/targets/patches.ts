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

function applied(original: unknown, fieldsV1: unknown, configuration: unknown): unknown {
  const managedFields = [{ manager: "m", operation: "Apply" as const, apiVersion: "v1", fieldsType: "FieldsV1" as const, fieldsV1 }];
  const owned = { ...live(), metadata: { ...live().metadata, managedFields } };
  return apply({ live: original === undefined ? undefined : owned, applied: configuration, facts, manager: "m", apiVersion: "v1", now: 0 })
    .object;
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
    run: patching((original, configuration) => applied(original, {}, configuration)),
    isRefusal,
  },
  {
    name: "fields-v1",
    corpus: [
      '{"f:metadata":{"f:labels":{"f:x":{}},"f:finalizers":{"v:\\"f\\"":{}}},"f:spec":{"f:containers":{"k:{\\"name\\":\\"c\\"}":{".":{},"f:image":{}}}}}',
    ],
    words: ['"f:x":', '"k:{}":', '"v:1":', '"i:0":', '".":{}', ...words],
    run: patching((original, fieldsV1) => applied(original, fieldsV1, { metadata: { name: "a" } })),
    isRefusal,
  },
];
