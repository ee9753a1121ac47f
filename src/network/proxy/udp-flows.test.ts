import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseFlow, staleFlows } from "./udp-flows.ts";

const flow = (destination: string, port: number, replySource: string) => ({ destination, port, replySource });

describe("staleFlows", () => {
  const frontends = [
    { address: "10.96.0.20", port: 53, endpoints: new Set(["10.244.0.2"]) },
    { address: "", port: 30_053, endpoints: new Set(["10.244.0.2"]) },
    { address: "10.96.0.21", port: 53, endpoints: new Set<string>() },
  ];

  it("are those to endpoints that have left, and those that began before the service", () => {
    const gone = flow("10.96.0.20", 53, "10.244.0.3");
    const early = flow("10.96.0.20", 53, "10.96.0.20");
    assert.deepEqual(staleFlows([flow("10.96.0.20", 53, "10.244.0.2"), gone, early, gone], frontends), [gone, early]);
  });

  it("are all to an address that leads nowhere any more", () => {
    assert.deepEqual(staleFlows([flow("10.96.0.21", 53, "10.244.0.2")], frontends), [flow("10.96.0.21", 53, "10.244.0.2")]);
  });

  it("are through a node port only when they were translated", () => {
    const stale = flow("192.0.2.1", 30_053, "10.244.0.3");
    assert.deepEqual(
      staleFlows([stale, flow("198.51.100.9", 30_053, "198.51.100.9"), flow("192.0.2.1", 30_053, "10.244.0.2")], frontends),
      [stale],
    );
  });
});

describe("parseFlow", () => {
  it("reads what conntrack lists", () => {
    const line =
      "udp      17 27 src=10.244.0.9 dst=10.96.0.20 sport=40000 dport=53 [UNREPLIED] src=10.244.0.2 dst=10.244.0.9 sport=5353 dport=40000 mark=0 use=1";
    assert.deepEqual(parseFlow(line), flow("10.96.0.20", 53, "10.244.0.2"));
    assert.equal(parseFlow("conntrack v1.4.7 (conntrack-tools): 0 flow entries have been shown."), undefined);
  });
});
