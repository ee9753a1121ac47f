import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Service, ServiceSpec } from "../../api/types/core/v1.ts";
import { type LoadBalancerOptions, planLoadBalancer, wantsLoadBalancer } from "./plan.ts";

const node = (
  name: string,
  address: string,
  { isReady = true, labels = {} }: { isReady?: boolean; labels?: Record<string, string> } = {},
) => ({
  metadata: { name, labels },
  status: { addresses: [{ type: "InternalIP", address }], conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
});
const nodes = [node("node-2", "192.0.2.2"), node("node-1", "192.0.2.1"), node("node-3", "192.0.2.3", { isReady: false })];

const service = (name: string, spec: ServiceSpec = {}, ips: string[] = []): Service => ({
  metadata: { namespace: "default", name, creationTimestamp: `2026-01-01T00:00:0${name.length}Z` },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...spec },
  status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
});
const plan = (wanted: Service, options: LoadBalancerOptions = {}, others: Service[] = [], endpointsOn: string[] = []) => {
  const endpoints = endpointsOn.map((nodeName) => ({ addresses: ["10.244.0.1"], nodeName }));
  const slices = [{ metadata: {}, addressType: "IPv4", endpoints }];
  const { ingress, problem } = planLoadBalancer({ service: wanted, balanced: [wanted, ...others], nodes, slices, options });
  return { ips: ingress.map(({ ip }) => ip), problem };
};

describe("planLoadBalancer with the nodes' addresses", () => {
  it("gives those of all ready nodes, and says that they are virtual addresses", () => {
    assert.deepEqual(plan(service("web")).ips, ["192.0.2.1", "192.0.2.2"]);
    const input = { service: service("web"), balanced: [], nodes, slices: [], options: {} };
    assert.equal(planLoadBalancer(input).ingress[0]?.ipMode, "VIP");
  });

  it("leaves out nodes that are labelled so", () => {
    const excluded = node("x", "192.0.2.9", { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } });
    const input = { service: service("web"), balanced: [], nodes: [excluded], slices: [], options: {} };
    assert.deepEqual(planLoadBalancer(input).ingress, []);
  });

  it("gives only those with endpoints with externalTrafficPolicy Local", () => {
    assert.deepEqual(plan(service("web", { externalTrafficPolicy: "Local" }), {}, [], ["node-2"]).ips, ["192.0.2.2"]);
  });

  it("gives a port to the older of two services, and never one that the cluster needs itself", () => {
    const older = service("web");
    const younger = service("other");
    assert.deepEqual(plan(younger, {}, [older]), { ips: [], problem: "port 80/TCP of the nodes is in use by service default/web" });
    assert.equal(plan(older, {}, [younger]).problem, undefined);
    assert.equal(plan(service("other", { ports: [{ port: 80, protocol: "UDP" }] }), {}, [older]).problem, undefined);
    assert.match(plan(older, { reservedPorts: [{ protocol: "TCP", port: 80 }] }).problem ?? "", /in use by the cluster itself/);
  });
});

describe("planLoadBalancer with a pool", () => {
  const options = { pool: ["198.51.100.0/29"] };

  it("gives the first address that no other has, and keeps the one that is there", () => {
    assert.deepEqual(plan(service("web"), options).ips, ["198.51.100.1"]);
    assert.deepEqual(plan(service("web"), options, [service("other", {}, ["198.51.100.1"])]).ips, ["198.51.100.2"]);
    assert.deepEqual(plan(service("web", {}, ["198.51.100.5"]), options).ips, ["198.51.100.5"]);
    assert.deepEqual(plan(service("web", {}, ["203.0.113.5"]), options).ips, ["198.51.100.1"]);
  });

  it("gives the address that is asked for, if it is free and of the pool", () => {
    assert.deepEqual(plan(service("web", { loadBalancerIP: "198.51.100.4" }), options).ips, ["198.51.100.4"]);
    assert.deepEqual(plan(service("web", { loadBalancerIP: "203.0.113.4" }), options).ips, ["198.51.100.1"]);
  });

  it("says when none is left", () => {
    const taken = Array.from({ length: 6 }, (_, index) => service(`${index}`, {}, [`198.51.100.${index + 1}`]));
    assert.deepEqual(plan(service("web"), options, taken), {
      ips: [],
      problem: "there is no free IPv4 address in the pool 198.51.100.0/29",
    });
  });

  it("gives one of each family that the service has", () => {
    const both = { pool: ["198.51.100.0/29", "fd00:9::/64"] };
    assert.deepEqual(plan(service("web", { ipFamilies: ["IPv6", "IPv4"] }), both).ips, ["fd00:9::1", "198.51.100.1"]);
  });
});

describe("wantsLoadBalancer", () => {
  it("leaves services with a class to whose class it is, and those on their way out", () => {
    assert.equal(wantsLoadBalancer(service("web")), true);
    assert.equal(wantsLoadBalancer(service("web", { loadBalancerClass: "example.com/lb" })), false);
    assert.equal(wantsLoadBalancer(service("web", { type: "NodePort" })), false);
    assert.equal(wantsLoadBalancer({ ...service("web"), metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }), false);
  });
});
