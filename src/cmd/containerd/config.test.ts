import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { DEFAULT_SPEC, nodesOf, specProblems } from "../config/cluster.ts";
import { layoutOf } from "../config/layout.ts";
import { renderCniConfig, renderContainerdConfig } from "./config.ts";
import { CATATONIT, isStaticBinary } from "./pause-image.ts";

const layout = layoutOf("/data", "/run/x");
const [first, second] = nodesOf({ ...DEFAULT_SPEC, nodeCount: 2 });

test("each node's containerd has its own root, state, socket and cgroup", () => {
  assert.ok(second !== undefined);
  const text = renderContainerdConfig({ node: second, layout: layout.node("node-2"), canLowerOomScore: true });
  assert.match(text, /^root = "\/data\/nodes\/node-2\/containerd"$/m);
  assert.match(text, /^state = "\/run\/x\/node-2\/containerd"$/m);
  assert.match(text, /^ {2}address = "\/run\/x\/node-2\/containerd.sock"$/m);
  assert.match(text, /^ {2}path = "\/k8ts\/node-2\/runtime"$/m);
  assert.match(text, /runtimes\.runc-limited\]\n.*\n {6}cni_conf_dir = "\/data\/nodes\/node-2\/cni\/limited\.d"$/m);
});

test("OOM scores are restricted only where they cannot be lowered", () => {
  assert.ok(first !== undefined);
  for (const canLowerOomScore of [true, false]) {
    const text = renderContainerdConfig({ node: first, layout: layout.node("node-1"), canLowerOomScore });
    assert.match(text, new RegExp(`restrict_oom_score_adj = ${!canLowerOomScore}`));
  }
});

test("pods get addresses of their node's range, and the bandwidth they ask for", () => {
  const pluginsOf = (limitsBandwidth: boolean) =>
    JSON.parse(renderCniConfig({ podCidrs: ["10.244.2.0/24"], stateDirectory: "/s", mtu: 1400, limitsBandwidth })).plugins;
  const [ptp, ...others] = pluginsOf(true);
  assert.deepEqual(ptp.ipam.ranges, [[{ subnet: "10.244.2.0/24" }]]);
  assert.equal(ptp.mtu, 1400);
  assert.deepEqual(others, [{ type: "bandwidth", capabilities: { bandwidth: true } }]);
  assert.deepEqual(pluginsOf(false), [ptp], "nothing but the link for pods that ask for no limit");
});

test("nodes have addresses and pod ranges by their number; only the first is in the host's namespace", () => {
  assert.deepEqual([first?.address, first?.podCidr, first?.networkNamespace], ["10.199.0.1", "10.244.1.0/24", undefined]);
  assert.deepEqual([second?.address, second?.podCidr, second?.networkNamespace], ["10.199.0.2", "10.244.2.0/24", "k8ts-node-2"]);
  assert.ok((nodesOf({ ...DEFAULT_SPEC, nodeCount: 100 }).at(-1)?.link?.length ?? 99) <= 15);
});

test("nodes of a cluster of two families have an IPv6 address and range as well", () => {
  const ipv6 = { nodeNetwork: "fd00:199::/64", podNetwork: "fd00:244::/48", serviceNetwork: "fd00:96::/112" };
  const [, second] = nodesOf({ ...DEFAULT_SPEC, nodeCount: 2, ipv6 });
  assert.deepEqual(second?.ipv6, { address: "fd00:199::2", podCidr: "fd00:244:0:2::/64" });
  assert.deepEqual(specProblems({ ...DEFAULT_SPEC, ipv6 }), []);
  assert.match(specProblems({ ...DEFAULT_SPEC, ipv6: { ...ipv6, podNetwork: "fd00:244::/64" } }).join(), /^--pod-network's second/);
});

test("a spec that cannot work says which option is wrong", () => {
  assert.deepEqual(specProblems(DEFAULT_SPEC), []);
  assert.match(specProblems({ ...DEFAULT_SPEC, podNetwork: "10.244.0.0/24" }).join(), /^--pod-network/);
  assert.match(specProblems({ ...DEFAULT_SPEC, nodeCount: 0 }).join(), /^--nodes/);
});

test("a program that needs a loader is not taken for the pause image", { skip: !existsSync(CATATONIT) }, () => {
  assert.equal(isStaticBinary(CATATONIT), true);
  assert.equal(isStaticBinary(process.execPath), false);
});
