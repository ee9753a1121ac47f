import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMap } from "../api/types/core/v1.ts";
import { ObjectIndex } from "./object-index.ts";

const configMap = (name: string, a: string, uid?: string): ConfigMap => ({
  metadata: { namespace: "default", name, ...(uid === undefined ? {} : { uid }) },
  data: { a },
});

function indexed(): { index: ObjectIndex<ConfigMap>; names: (value: string) => (string | undefined)[] } {
  const index = new ObjectIndex<ConfigMap>();
  index.addIndex("a", ({ data }) => [data?.["a"] ?? ""]);
  return { index, names: (value) => index.byIndex("a", value).map(({ metadata }) => metadata.name) };
}

for (const uids of [
  ["1", "2"],
  [undefined, undefined],
] as const) {
  test(`objects ${uids[0] === undefined ? "without" : "with"} uids are found under their newest values only`, () => {
    const { index, names } = indexed();
    index.set(configMap("x", "1", uids[0]));
    index.set(configMap("y", "1", uids[1]));
    index.set(configMap("x", "1", uids[0]));
    assert.deepEqual(names("1"), ["x", "y"]);
    index.set(configMap("x", "2", uids[0]));
    index.delete("default", "y");
    assert.deepEqual([names("1"), names("2")], [[], ["x"]]);
  });
}

test("an object that takes another's name takes its place in the indexes", () => {
  const { index, names } = indexed();
  index.set(configMap("x", "1", "old"));
  index.set(configMap("x", "1", "new"));
  assert.deepEqual(
    index.byIndex("a", "1").map(({ metadata }) => metadata.uid),
    ["new"],
  );
  index.delete("default", "x");
  assert.deepEqual(names("1"), []);
});
