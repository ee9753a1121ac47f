import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseUsageCurve, totalUntil, valueAt } from "./usage-curve.ts";

describe("a usage curve", () => {
  it("is a constant or steps by seconds", () => {
    assert.equal(parseUsageCurve("0.5"), 0.5);
    assert.deepEqual(parseUsageCurve("0.1,60:2"), [
      { fromMs: 0, value: 0.1 },
      { fromMs: 60_000, value: 2 },
    ]);
    for (const text of ["", "x", "1:", "60:1,10:2", "1,x:2", "-1,60:1"]) assert.equal(parseUsageCurve(text), undefined, text);
  });

  it("answers the value of a time and the sum up to it", () => {
    const curve = parseUsageCurve("1,10:3,20:0") ?? 0;
    assert.deepEqual(
      [0, 9_999, 10_000, 25_000].map((atMs) => valueAt(curve, atMs)),
      [1, 1, 3, 0],
    );
    assert.deepEqual(
      [5_000, 10_000, 15_000, 60_000].map((untilMs) => totalUntil(curve, untilMs) / 1_000),
      [5, 10, 25, 40],
    );
    assert.equal(totalUntil(2, 3_000), 6_000);
  });
});
