import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hostsFile } from "./hosts-file.ts";

describe("hostsFile", () => {
  it("names the pod by its addresses and adds its host aliases", () => {
    const aliases = [{ ip: "10.0.0.9", hostnames: ["a.test", "b.test"] }];
    const text = hostsFile({ ips: ["10.1.0.5", "fd00::5"], hostname: "web-0", domain: "web.default.svc.cluster.local", aliases });
    const lines = text.split("\n");
    assert.equal(lines[0], "# Kubernetes-managed hosts file.");
    assert.ok(lines.includes("127.0.0.1\tlocalhost"));
    assert.ok(lines.includes("10.1.0.5\tweb-0.web.default.svc.cluster.local\tweb-0"));
    assert.ok(lines.includes("fd00::5\tweb-0.web.default.svc.cluster.local\tweb-0"));
    assert.deepEqual(lines.slice(-4), ["", "# Entries added by HostAliases.", "10.0.0.9\ta.test\tb.test", ""]);
  });

  it("keeps the node's file for a pod in the host's network", () => {
    const text = hostsFile({ ips: [], hostname: "node", domain: "", aliases: [], hostContent: "127.0.0.1 localhost\n" });
    assert.equal(text, "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n");
  });
});
