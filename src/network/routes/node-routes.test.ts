import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import { MemoryInformers } from "../testing.ts";
import { NodeRoutes, wantedRoutes } from "./node-routes.ts";

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

describe("NodeRoutes", () => {
  it("route to peers on the link, tunnel to those behind a router, and change with a peer's address", async () => {
    const calls: string[] = [];
    const note = (call: string) => Promise.resolve(void calls.push(call));
    let asked = 0;
    const table = {
      isOnLink: (address: string) => {
        asked++;
        return Promise.resolve(address.startsWith("192.0.2."));
      },
      replace: (cidr: string, via: string) => note(`route ${cidr} via ${via}`),
      remove: (cidr: string, via: string) => note(`no route ${cidr} via ${via}`),
      replaceTunnel: (own: { address: string }, peer: { address: string }) => note(`tunnel ${own.address} to ${peer.address}`),
      removeTunnel: (peer: { address: string }) => note(`no tunnel to ${peer.address}`),
    };
    const informers = new MemoryInformers();
    informers.set("nodes", node("node-1", ["192.0.2.1"], ["10.244.1.0/24"]));
    const near = node("near", ["192.0.2.2"], ["10.244.2.0/24"]);
    informers.set("nodes", near);
    informers.set("nodes", node("far", ["198.51.100.3"], ["10.244.3.0/24"]));
    const routes = new NodeRoutes({ informers, nodeName: "node-1", table, clock: new VirtualClock(), logger: silentLogger });
    const stop = new AbortController();
    const running = routes.run(stop.signal);
    await settled();
    assert.deepEqual(calls.splice(0).sort(), ["route 10.244.2.0/24 via 192.0.2.2", "tunnel 192.0.2.1 to 198.51.100.3"]);
    const cordoned = { ...near, spec: { ...near.spec, unschedulable: true } };
    informers.set("nodes", cordoned);
    await settled();
    assert.equal(asked, 2, "nothing that matters has changed");
    informers.set("nodes", node("far", ["192.0.2.3"], ["10.244.3.0/24"]));
    await settled();
    assert.deepEqual(calls, ["no tunnel to 198.51.100.3", "route 10.244.3.0/24 via 192.0.2.3"]);
    stop.abort();
    await running;
  });
});

/** All that was begun has come to its end: nothing here waits for more than promises. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
