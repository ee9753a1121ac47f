import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../api/types/core/v1.ts";
import { wantedRoutes } from "./node-routes.ts";

const node = (name: string, address: string, podCIDR = "10.244.2.0/24"): Node => ({
  metadata: { name },
  spec: { podCIDR },
  status: { addresses: [{ type: "InternalIP", address }] },
});

describe("wantedRoutes", () => {
  it("lead to the pods of other nodes by way of their addresses", () => {
    assert.deepEqual(
      [...wantedRoutes([node("own", "10.0.0.1"), node("other", "10.0.0.2", "10.244.3.0/24")], "own")],
      [["10.244.3.0/24", "10.0.0.2"]],
    );
  });

  it("lead to no hollow node, which has no machine", () => {
    assert.deepEqual([...wantedRoutes([node("hollow-1", "127.0.0.1")], "own")], []);
  });
});
