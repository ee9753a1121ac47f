import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deviceCommands, tunnelCommands, tunnelMac, tunnelRemoval } from "./tunnel.ts";

const own = { address: "192.0.2.1", podCidr: "10.244.1.0/24" };
const peer = { address: "198.51.100.2", podCidr: "10.244.2.0/24" };
const text = (commands: string[][]) => commands.map((words) => words.join(" "));

describe("tunnels", () => {
  it("have one hardware address for an address however it is written, and others for others", () => {
    assert.equal(tunnelMac("fd00::2"), tunnelMac("FD00:0:0:0:0:0:0:2"));
    assert.notEqual(tunnelMac(own.address), tunnelMac(peer.address));
    assert.match(tunnelMac(own.address), /^02(:[0-9a-f]{2}){5}$/);
  });

  it("leave room for the outer headers of their family", () => {
    assert.match(text(deviceCommands(own, 1500)).join(), /k8ts-vxlan4 .* mtu 1450 .* local 192\.0\.2\.1 nolearning/);
    assert.match(text(deviceCommands({ address: "fd00::1", podCidr: "fd01:1::/64" }, 1500)).join(), /k8ts-vxlan6 .* mtu 1430 /);
  });

  it("lead to a peer's pods by its address, and take the same back", () => {
    const mac = tunnelMac(peer.address);
    assert.deepEqual(text(tunnelCommands(own, peer)).slice(2), [
      `bridge fdb replace ${mac} dev k8ts-vxlan4 dst 198.51.100.2 self permanent`,
      `ip neigh replace 10.244.2.0 lladdr ${mac} dev k8ts-vxlan4 nud permanent`,
      "ip route replace 10.244.2.0/24 via 10.244.2.0 dev k8ts-vxlan4 onlink",
    ]);
    assert.deepEqual(text(tunnelRemoval(peer)), [
      "ip route del 10.244.2.0/24 via 10.244.2.0 dev k8ts-vxlan4",
      "ip neigh del 10.244.2.0 dev k8ts-vxlan4",
      `bridge fdb del ${mac} dev k8ts-vxlan4 dst 198.51.100.2 self`,
    ]);
  });
});
