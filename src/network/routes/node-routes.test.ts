import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { wantedRoutes } from "./node-routes.ts";

const node = (name: string, addresses: string[], podCIDRs: string[]) => ({
  metadata: { name },
  spec: { podCIDR: podCIDRs[0], podCIDRs },
  status: { addresses: addresses.map((address) => ({ type: "InternalIP", address })) },
});

describe("wantedRoutes", () => {
  it("lead to the other nodes' pods, in each family by the node's address of that family", () => {
    const nodes = [
      node("node-1", ["192.0.2.1"], ["10.244.1.0/24"]),
      node("node-2", ["192.0.2.2", "fd00::2"], ["10.244.2.0/24", "fd00:244:0:2::/64"]),
      node("node-3", ["192.0.2.3"], ["10.244.3.0/24", "fd00:244:0:3::/64"]),
    ];
    assert.deepEqual(
      [...wantedRoutes(nodes, "node-1")],
      [
        ["10.244.2.0/24", "192.0.2.2"],
        ["fd00:244:0:2::/64", "fd00::2"],
        ["10.244.3.0/24", "192.0.2.3"],
      ],
    );
  });

  it("lead to no hollow node, and to none without pods", () => {
    assert.equal(wantedRoutes([node("hollow-1", ["127.0.0.1"], ["10.128.0.0/24"]), node("new", ["192.0.2.9"], [])], "node-1").size, 0);
  });
});
