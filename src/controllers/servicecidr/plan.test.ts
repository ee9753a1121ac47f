import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Service } from "../../api/types/core/v1.ts";
import type { ServiceCIDR } from "../../api/types/networking/v1.ts";
import { addressObject, mayGo, planAddress } from "./plan.ts";
import { contains, covers } from "./range.ts";

const range = (name: string, ...cidrs: string[]): ServiceCIDR => ({ metadata: { name }, spec: { cidrs } });
const service: Service = { metadata: { name: "web", namespace: "default" }, spec: { clusterIPs: ["10.96.0.9"] } };

describe("ranges", () => {
  it("hold addresses and smaller ranges of their family", () => {
    assert.ok(contains("10.96.0.0/16", "10.96.3.4") && contains("fd00::/108", "fd00::5"));
    assert.ok(!contains("10.96.0.0/16", "10.97.0.1") && !contains("10.96.0.0/16", "fd00::5") && !contains("x", "y"));
    assert.ok(covers("10.0.0.0/8", "10.96.0.0/16") && covers("10.96.0.0/16", "10.96.0.0/16"));
    assert.ok(!covers("10.96.0.0/16", "10.0.0.0/8"));
  });
});

describe("a range of service addresses", () => {
  it("may go when every address in use has another range", () => {
    const small = range("small", "10.96.1.0/24");
    assert.equal(mayGo(small, [small], ["10.96.2.1"]), true);
    assert.equal(mayGo(small, [small], ["10.96.1.1"]), false);
    assert.equal(mayGo(small, [small, range("other", "10.96.1.0/28")], ["10.96.1.1"]), true);
    assert.equal(mayGo(small, [small, range("large", "10.96.0.0/16")], ["10.96.1.200"]), true);
    const going = { ...range("large", "10.96.0.0/16"), metadata: { name: "large", deletionTimestamp: "2026-01-01T00:00:00Z" } };
    assert.equal(mayGo(small, [small, going], ["10.96.1.200"]), false);
  });
});

describe("the object of an address", () => {
  const known = addressObject("10.96.0.9", service);

  it("comes and goes with the service that has it", () => {
    assert.deepEqual(planAddress("10.96.0.9", undefined, service), { type: "create", object: known });
    assert.deepEqual(planAddress("10.96.0.9", known, service), { type: "none" });
    assert.deepEqual(planAddress("10.96.0.9", known, undefined), { type: "delete" });
    const other = { ...service, metadata: { name: "other", namespace: "default" } };
    assert.deepEqual(planAddress("10.96.0.9", known, other), { type: "delete" });
    assert.deepEqual(planAddress("10.96.0.9", undefined, undefined), { type: "none" });
  });

  it("is left alone when someone else manages it", () => {
    assert.deepEqual(planAddress("10.96.0.9", { ...known, metadata: { name: "10.96.0.9" } }, undefined), { type: "none" });
  });
});
