import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CidrSet, ClusterCidrError, parseClusterCidr } from "./plan.ts";

describe("CidrSet", () => {
  const setOf = (cidr: string) => new CidrSet(parseClusterCidr(cidr, 24));

  it("gives the first free part of the network away, and nothing when all is", () => {
    const set = setOf("10.244.3.7/23");
    assert.deepEqual([set.take(), set.take(), set.take()], ["10.244.2.0/24", "10.244.3.0/24", undefined]);
  });

  it("leaves out what nodes have, and gives again what they have no more", () => {
    const set = setOf("10.244.0.0/22");
    set.occupy("10.244.1.0/24");
    assert.deepEqual([set.take(), set.take()], ["10.244.0.0/24", "10.244.2.0/24"]);
    set.release("10.244.1.0/24");
    assert.equal(set.take(), "10.244.1.0/24");
  });

  it("keeps a network that two nodes have until both have it no more", () => {
    const set = setOf("10.244.0.0/24");
    set.occupy("10.244.0.0/24");
    set.occupy("10.244.0.0/24");
    set.release("10.244.0.0/24");
    assert.equal(set.take(), undefined);
    set.release("10.244.0.0/24");
    assert.equal(set.take(), "10.244.0.0/24");
  });

  it("does not care for networks that are not the cluster's", () => {
    const set = setOf("10.244.0.0/24");
    for (const cidr of ["10.128.0.0/24", "10.244.0.0/25", "fd00::/64"]) {
      set.occupy(cidr);
      set.release(cidr);
    }
    assert.deepEqual([set.take(), set.take()], ["10.244.0.0/24", undefined]);
  });
});

describe("parseClusterCidr", () => {
  it("refuses a network that is too small", () => {
    assert.throws(() => parseClusterCidr("10.244.0.0/25", 24), ClusterCidrError);
  });
});
