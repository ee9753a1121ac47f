import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hostPortsOf } from "./host-port.ts";
import { renderChange } from "./nft-script.ts";
import { buildRuleset, EndpointIds, emptyRuleset } from "./ruleset.ts";
import type { ProxyEndpoint, ProxyServicePort } from "./service-port.ts";

const build = (services: ProxyServicePort[], ids = new EndpointIds()) => buildRuleset({ services, hostPorts: [] }, ids);
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
    const { elements, chains } = build([port(), port({ clusterIps: ["10.96.0.21"] })], new EndpointIds());
    assert.deepEqual([...chains.keys()], ["lb_offcluster_2"]);
    assert.equal(elements.services.get("10.96.0.21 . tcp . 80"), "goto lb_offcluster_2");
    assert.equal(elements.endpoints.get("10.96.0.20 . tcp . 80 . 1"), "10.244.1.2 . 8080");
    assert.deepEqual([...elements.hairpin.keys()], ["10.244.0.2 . 10.244.0.2"]);
  });

  it("refuses what has no endpoints, and drops local-only traffic that another node can serve", () => {
    const { elements } = build(
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
    const both = build([port({ affinitySeconds: 60 })], ids);
    const idOfSecond = both.elements.endpoint_ids.get("10.96.0.20 . tcp . 80 . 1");
    const alone = build([port({ affinitySeconds: 60, internalEndpoints: [endpoint("10.244.1.2")] })], ids);
    assert.equal(alone.elements.endpoint_ids.get("10.96.0.20 . tcp . 80 . 0"), idOfSecond);
    assert.equal(alone.elements.endpoints.get(`10.96.0.20 . tcp . 80 . ${idOfSecond}`), "10.244.1.2 . 8080");
  });
});

describe("host ports", () => {
  const pod = (status: object, spec: object = {}) => ({
    metadata: {},
    spec: {
      containers: [
        {
          name: "c",
          ports: [
            { containerPort: 80, hostPort: 8080 },
            { containerPort: 53, hostPort: 5353, hostIP: "192.0.2.1", protocol: "UDP" },
            { containerPort: 90 },
          ],
        },
      ],
      ...spec,
    },
    status,
  });

  it("lead to the pod that has them, on all addresses or on one", () => {
    const { elements } = buildRuleset(
      { services: [], hostPorts: hostPortsOf(pod({ phase: "Running", podIP: "10.244.0.9" })) },
      new EndpointIds(),
    );
    assert.deepEqual([...elements.hostports], [["tcp . 8080", "10.244.0.9 . 80"]]);
    assert.deepEqual([...elements.hostport_addresses], [["192.0.2.1 . udp . 5353", "10.244.0.9 . 53"]]);
  });

  it("are gone with the pod's end, and are not ours on the host's network", () => {
    assert.deepEqual(hostPortsOf(pod({ phase: "Failed", podIP: "10.244.0.9" })), []);
    assert.deepEqual(hostPortsOf(pod({ phase: "Running", podIP: "192.0.2.1" }, { hostNetwork: true })), []);
    assert.deepEqual(hostPortsOf(pod({ phase: "Pending" })), []);
  });
});

describe("renderChange", () => {
  it("says nothing when nothing differs", () => {
    const ids = new EndpointIds();
    assert.equal(renderChange(options, build([port()], ids), build([port()], ids)), "");
  });

  it("adds a service to a table of many with its own elements only", () => {
    const ids = new EndpointIds();
    const ports = Array.from({ length: 100 }, (_, i) => port({ clusterIps: [`10.96.1.${i}`] }));
    const script = renderChange(options, build(ports, ids), build([...ports, port()], ids));
    assert.deepEqual(script.trim().split("\n"), [
      "add element ip k8ts endpoints { 10.96.0.20 . tcp . 80 . 0 : 10.244.0.2 . 8080, 10.96.0.20 . tcp . 80 . 1 : 10.244.1.2 . 8080 }",
      "add element ip k8ts services { 10.96.0.20 . tcp . 80 : goto lb_offcluster_2 }",
    ]);
  });

  it("makes chains before the elements that name them, and deletes them after", () => {
    const ids = new EndpointIds();
    const script = renderChange(options, emptyRuleset(), build([port()], ids));
    assert.ok(script.indexOf("add chain") < script.indexOf("services"));
    const back = renderChange(options, build([port()], ids), emptyRuleset());
    assert.ok(back.indexOf("delete element ip k8ts services") < back.indexOf("delete chain"));
  });
});
