import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mergeRanges, rangeOf, rangeText, withoutRanges } from "./ranges.ts";

const texts = (networks: string[]) => mergeRanges(networks.map(rangeOf)).map(rangeText);

describe("ranges", () => {
  it("are those of networks, whatever host bits they are written with", () => {
    assert.equal(rangeText(rangeOf("10.1.2.3/8")), "10.0.0.0-10.255.255.255");
    assert.equal(rangeText(rangeOf("10.1.2.3")), "10.1.2.3");
    assert.equal(rangeText(rangeOf("0.0.0.0/0")), "0.0.0.0-255.255.255.255");
    assert.equal(rangeText(rangeOf("fd00::/127")), "fd00::-fd00::1");
  });

  it("are merged where they touch or overlap", () => {
    assert.deepEqual(texts(["10.0.1.0/24", "10.0.0.0/24", "10.0.0.7", "10.0.3.0/24"]), ["10.0.0.0-10.0.1.255", "10.0.3.0-10.0.3.255"]);
  });

  it("can have holes", () => {
    const holes = ["10.0.0.0/30", "10.0.0.128", "10.9.0.0/16"].map(rangeOf);
    assert.deepEqual(withoutRanges(rangeOf("10.0.0.0/24"), holes).map(rangeText), ["10.0.0.4-10.0.0.127", "10.0.0.129-10.0.0.255"]);
    assert.deepEqual(withoutRanges(rangeOf("10.0.0.0/24"), [rangeOf("10.0.0.0/8")]), []);
  });
});
