import assert from "node:assert/strict";
import { test } from "node:test";
import { customColumns } from "./printer-columns.ts";

const object = {
  metadata: { name: "a", creationTimestamp: "2024-01-01T00:00:00Z" },
  spec: { text: "x", count: 3, isOn: true, ratio: 1.5, list: ["a", "b"], object: { k: 1 }, at: "2023-12-31T23:59:00Z" },
};
const nowMs = Date.parse("2024-01-01T00:01:30Z");
const cell = (type: string, jsonPath: string) => customColumns([{ name: "X", type, jsonPath }])[1]?.cell(object, nowMs);

test("cells are shown by their column's type", () => {
  const cells: readonly (readonly [string, string, unknown])[] = [
    ["string", ".spec.text", "x"],
    ["string", ".spec.list", '["a","b"]'],
    ["string", ".spec.list[*]", "a b"],
    ["string", ".spec.object", '{"k":1}'],
    ["string", ".spec.missing", null],
    ["integer", ".spec.count", 3],
    ["integer", ".spec.text", null],
    ["number", ".spec.ratio", 1.5],
    ["boolean", ".spec.isOn", true],
    ["date", ".spec.at", "2m30s"],
  ];
  for (const [type, path, expected] of cells) assert.equal(cell(type, path), expected, path);
});

test("without columns of its own a resource shows name and age", () => {
  const columns = customColumns();
  assert.deepEqual(
    columns.map(({ name, cell }) => [name, cell(object, nowMs)]),
    [
      ["Name", "a"],
      ["Age", "90s"],
    ],
  );
});
