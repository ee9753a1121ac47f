import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../api/types/core/v1.ts";
import { hollowNodes } from "./hollow-context.ts";
import { gatheredDelayMs, reportDueMs } from "./hollow-registrations.ts";
import { hollowUsage } from "./hollow-usage.ts";

describe("hollow nodes", () => {
  it("have names and pod networks of their own", () => {
    const nodes = [...hollowNodes(300).values()];
    assert.deepEqual(nodes[0], { name: "hollow-1", podCidr: "10.128.1.0/24" });
    assert.deepEqual(nodes[255], { name: "hollow-256", podCidr: "10.129.0.0/24" });
    assert.equal(new Set(nodes.map(({ podCidr }) => podCidr)).size, 300);
  });

  it("tell their status every five minutes, and at once when it is wrong", () => {
    const node = (ready: string, port = 1): Node => ({
      metadata: { name: "hollow-1" },
      status: {
        conditions: [{ type: "Ready", status: ready, lastHeartbeatTime: "1970-01-01T00:01:00Z" }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    });
    assert.equal(reportDueMs(node("True"), 1, 100_000), 260_000);
    assert.equal(reportDueMs(node("True"), 1, 400_000), 0);
    assert.equal(reportDueMs(node("Unknown"), 1, 100_000), 0);
    assert.equal(reportDueMs(node("True", 2), 1, 100_000), 0);
  });

  it("renew their leases together, and never later than alone", () => {
    assert.deepEqual([gatheredDelayMs(10_000, 5030), gatheredDelayMs(9990, 5075), gatheredDelayMs(10_000, 5100)], [9970, 9925, 10_000]);
    assert.equal(gatheredDelayMs(10, 5030), 0);
  });

  it("use what their pods' scripts say, from each container's start", () => {
    const pod = (name: string, startedAt: string | undefined) => ({
      metadata: { name, namespace: "default", uid: name, annotations: { "sim.k8ts.dev/cpu-cores": "0,10:2" } },
      status: {
        containerStatuses: [
          { name: "c", image: "", imageID: "", ready: true, restartCount: 0, state: startedAt ? { running: { startedAt } } : {} },
        ],
      },
    });
    const pods = [pod("a", "1970-01-01T00:00:00Z"), pod("b", "1970-01-01T00:00:10Z"), pod("c", undefined)];
    const { node, containers } = hollowUsage("hollow-1", pods, () => ({ memoryBytes: 100 }), 20_000);
    assert.deepEqual(
      containers.map(({ podUid, cpuUsageCoreNanoSeconds }) => [podUid, cpuUsageCoreNanoSeconds / 1e9]),
      [
        ["a", 20],
        ["b", 0],
      ],
    );
    assert.deepEqual(node, { timestampMs: 20_000, cpuUsageCoreNanoSeconds: 20e9, memoryWorkingSetBytes: 200 });
  });
});
