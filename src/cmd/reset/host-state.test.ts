import assert from "node:assert/strict";
import { test } from "node:test";
import { aspects, differences, type HostState, lookAtHostState } from "./host-state.ts";

const nothing = Object.fromEntries(aspects.map((aspect) => [aspect, []])) as unknown as HostState;

test("differences are what has come and what has gone", () => {
  const before = { ...nothing, link: ["/sys/class/net/eth0", "/sys/class/net/old"], sysctl: ["net.ipv4.ip_forward = 0"] };
  const after = { ...nothing, link: ["/sys/class/net/eth0", "/sys/class/net/k8ts0"], sysctl: ["net.ipv4.ip_forward = 1"] };
  assert.deepEqual(differences(before, after), [
    "+ link /sys/class/net/k8ts0",
    "- link /sys/class/net/old",
    "+ sysctl net.ipv4.ip_forward = 1",
    "- sysctl net.ipv4.ip_forward = 0",
  ]);
});

test("a host that nobody changes is like itself, and the cluster's own directories are not counted", async () => {
  const state = await lookAtHostState(["/var/lib/apt"]);
  assert.ok(state.mount.includes("/") && state.link.includes("/sys/class/net/lo"));
  assert.ok(!state.file.includes("/var/lib/apt") && state.file.includes("/etc/passwd"));
});
