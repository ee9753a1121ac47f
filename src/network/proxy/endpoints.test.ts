import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../api/types/discovery/v1.ts";
import { IPV4 } from "../ip-family.ts";
import { reachableEndpoints } from "./endpoints.ts";
import { healthAnswer, serviceHealth } from "./health-checks.ts";
import { servicePorts } from "./service-port.ts";

const place = { nodeName: "node-1", zone: "a" };
const ready = (ip: string, rest: Partial<Endpoint> = {}): Endpoint => ({ addresses: [ip], conditions: { ready: true }, ...rest });
const leaving = (ip: string, rest: Partial<Endpoint> = {}): Endpoint =>
  ready(ip, { conditions: { ready: false, serving: true, terminating: true }, ...rest });
const slice = (...endpoints: Endpoint[]) => ({
  metadata: { name: "s" },
  addressType: "IPv4",
  ports: [{ name: "http", port: 80 }],
  endpoints,
});
const reach = (...endpoints: Endpoint[]) => {
  const { cluster, local, hasAny } = reachableEndpoints([slice(...endpoints)], "http", place);
  return { cluster: cluster.map(({ ip }) => ip), local: local.map(({ ip }) => ip), hasAny };
};

describe("reachableEndpoints", () => {
  it("are the ready ones", () => {
    const notReady = ready("10.0.0.3", { conditions: { ready: false } });
    assert.deepEqual(reach(ready("10.0.0.1"), ready("10.0.0.2", { nodeName: "node-1" }), notReady, { addresses: ["10.0.0.4"] }), {
      cluster: ["10.0.0.1", "10.0.0.2", "10.0.0.4"],
      local: ["10.0.0.2"],
      hasAny: true,
    });
    assert.deepEqual(reach(notReady), { cluster: [], local: [], hasAny: false });
  });

  it("are those that still serve while they terminate when no other is there, looked at for the node on its own", () => {
    assert.deepEqual(reach(leaving("10.0.0.1"), leaving("10.0.0.2", { conditions: { ready: false, serving: false, terminating: true } })), {
      cluster: ["10.0.0.1"],
      local: [],
      hasAny: true,
    });
    assert.deepEqual(reach(ready("10.0.0.1", { nodeName: "node-2" }), leaving("10.0.0.2", { nodeName: "node-1" })), {
      cluster: ["10.0.0.1"],
      local: ["10.0.0.2"],
      hasAny: true,
    });
  });

  it("are those that hints give to the node, else to its zone, when all have hints", () => {
    const zone = (ip: string, name: string) => ready(ip, { hints: { forZones: [{ name }] } });
    assert.deepEqual(reach(zone("10.0.0.1", "a"), zone("10.0.0.2", "b")).cluster, ["10.0.0.1"]);
    assert.deepEqual(reach(zone("10.0.0.1", "b"), zone("10.0.0.2", "c")).cluster, ["10.0.0.1", "10.0.0.2"]);
    assert.deepEqual(reach(zone("10.0.0.1", "a"), ready("10.0.0.2")).cluster, ["10.0.0.1", "10.0.0.2"]);
    const node = (ip: string, name: string) => ready(ip, { hints: { forZones: [{ name: "a" }], forNodes: [{ name }] } });
    assert.deepEqual(reach(node("10.0.0.1", "node-1"), node("10.0.0.2", "node-2")).cluster, ["10.0.0.1"]);
    assert.deepEqual(reach(node("10.0.0.1", "node-3"), node("10.0.0.2", "node-2")).cluster, ["10.0.0.1", "10.0.0.2"]);
  });
});

describe("servicePorts", () => {
  const service = {
    metadata: { namespace: "default", name: "web" },
    spec: {
      type: "LoadBalancer",
      clusterIP: "10.96.0.20",
      clusterIPs: ["10.96.0.20", "fd00::20"],
      ports: [{ name: "http", port: 80 }],
      loadBalancerSourceRanges: ["10.0.0.0/8"],
      externalIPs: ["192.0.2.1"],
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 31_000,
    },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.7", ipMode: "VIP" }, { ip: "192.0.2.8", ipMode: "Proxy" }, { hostname: "x" }] } },
  };
  const view = { service, slices: [slice(ready("10.0.0.1", { nodeName: "node-1" }))], place, family: IPV4 };

  it("have the addresses of their family, without those that the load balancer terminates", () => {
    const [port] = servicePorts(view);
    assert.deepEqual(port?.clusterIps, ["10.96.0.20"]);
    assert.deepEqual(port?.externalIps, ["192.0.2.1", "192.0.2.7"]);
  });

  it("restrict who reaches the load balancer's addresses, not the others", () => {
    const [port] = servicePorts(view);
    assert.deepEqual([port?.restrictedIps, port?.sourceRanges], [["192.0.2.7"], ["10.0.0.0/8"]]);
  });

  it("tell a load balancer how many endpoints the node has", () => {
    const health = serviceHealth(service, view.slices, place);
    assert.deepEqual(health, { namespace: "default", name: "web", port: 31_000, localEndpoints: 1 });
    assert.equal(health === undefined ? 0 : healthAnswer(health).status, 200);
    assert.equal(healthAnswer({ namespace: "default", name: "web", port: 31_000, localEndpoints: 0 }).status, 503);
    assert.equal(serviceHealth({ ...service, spec: { ...service.spec, externalTrafficPolicy: "Cluster" } }, view.slices, place), undefined);
  });
});
