import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderChange } from "./nft-script.ts";
import { buildRuleset, EndpointIds, emptyRuleset } from "./ruleset.ts";
import type { ProxyEndpoint, ProxyServicePort } from "./service-port.ts";

const options = { table: "k8ts", clusterCidr: "10.244.0.0/16" };
const endpoint = (ip: string, isLocal = false): ProxyEndpoint => ({ ip, port: 8080, isLocal });

function port(overrides: Partial<ProxyServicePort> = {}): ProxyServicePort {
  const endpoints = overrides.internalEndpoints ?? [endpoint("10.244.0.2", true), endpoint("10.244.1.2")];
  return {
    protocol: "tcp",
    port: 80,
    clusterIps: ["10.96.0.20"],
    externalIps: [],
    nodePort: 0,
    affinitySeconds: 0,
    internalEndpoints: endpoints,
    externalEndpoints: endpoints,
    isExternalLocal: false,
    hasAnyEndpoint: endpoints.length > 0,
    ...overrides,
  };
}

describe("buildRuleset", () => {
  it("sends a cluster IP to a chain shared by all services with as many endpoints", () => {
    const { elements, chains } = buildRuleset([port(), port({ clusterIps: ["10.96.0.21"] })], new EndpointIds());
    assert.deepEqual([...chains.keys()], ["lb_offcluster_2"]);
    assert.equal(elements.services.get("10.96.0.21 . tcp . 80"), "goto lb_offcluster_2");
    assert.equal(elements.endpoints.get("10.96.0.20 . tcp . 80 . 1"), "10.244.1.2 . 8080");
    assert.deepEqual([...elements.hairpin.keys()], ["10.244.0.2 . 10.244.0.2"]);
  });

  it("refuses what has no endpoints, and drops local-only traffic that another node can serve", () => {
    const { elements } = buildRuleset(
      [
        port({ internalEndpoints: [], externalEndpoints: [] }),
        port({ clusterIps: ["10.96.0.21"], nodePort: 30_080, isExternalLocal: true, externalEndpoints: [], hasAnyEndpoint: true }),
      ],
      new EndpointIds(),
    );
    assert.equal(elements.refused.get("10.96.0.20 . tcp . 80"), "goto refuse");
    assert.equal(elements.refused_nodeports.get("tcp . 30080"), "drop");
    assert.equal(elements.services.has("10.96.0.20 . tcp . 80"), false);
  });

  it("keeps an endpoint's identity for session affinity when others come and go", () => {
    const ids = new EndpointIds();
    const both = buildRuleset([port({ affinitySeconds: 60 })], ids);
    const idOfSecond = both.elements.endpoint_ids.get("10.96.0.20 . tcp . 80 . 1");
    const alone = buildRuleset([port({ affinitySeconds: 60, internalEndpoints: [endpoint("10.244.1.2")] })], ids);
    assert.equal(alone.elements.endpoint_ids.get("10.96.0.20 . tcp . 80 . 0"), idOfSecond);
    assert.equal(alone.elements.endpoints.get(`10.96.0.20 . tcp . 80 . ${idOfSecond}`), "10.244.1.2 . 8080");
  });
});

describe("renderChange", () => {
  it("says nothing when nothing differs", () => {
    const ids = new EndpointIds();
    assert.equal(renderChange(options, buildRuleset([port()], ids), buildRuleset([port()], ids)), "");
  });

  it("adds a service to a table of many with its own elements only", () => {
    const ids = new EndpointIds();
    const ports = Array.from({ length: 100 }, (_, i) => port({ clusterIps: [`10.96.1.${i}`] }));
    const script = renderChange(options, buildRuleset(ports, ids), buildRuleset([...ports, port()], ids));
    assert.deepEqual(script.trim().split("\n"), [
      "add element ip k8ts endpoints { 10.96.0.20 . tcp . 80 . 0 : 10.244.0.2 . 8080, 10.96.0.20 . tcp . 80 . 1 : 10.244.1.2 . 8080 }",
      "add element ip k8ts services { 10.96.0.20 . tcp . 80 : goto lb_offcluster_2 }",
    ]);
  });

  it("makes chains before the elements that name them, and deletes them after", () => {
    const ids = new EndpointIds();
    const script = renderChange(options, emptyRuleset(), buildRuleset([port()], ids));
    assert.ok(script.indexOf("add chain") < script.indexOf("services"));
    const back = renderChange(options, buildRuleset([port()], ids), emptyRuleset());
    assert.ok(back.indexOf("delete element ip k8ts services") < back.indexOf("delete chain"));
  });
});
