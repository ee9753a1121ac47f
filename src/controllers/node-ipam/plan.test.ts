import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClusterCidrError, freeCidr, parseClusterCidr } from "./plan.ts";

describe("freeCidr", () => {
  it("answers the first free part of the network, and nothing when all is given away", () => {
    const network = parseClusterCidr("10.244.3.7/23", 24);
    assert.equal(freeCidr(network, new Set()), "10.244.2.0/24");
    assert.equal(freeCidr(network, new Set(["10.244.2.0/24"])), "10.244.3.0/24");
    assert.equal(freeCidr(network, new Set(["10.244.2.0/24", "10.244.3.0/24"])), undefined);
  });

  it("refuses a network that is too small", () => {
    assert.throws(() => parseClusterCidr("10.244.0.0/25", 24), ClusterCidrError);
  });
});
