import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "../../api/types/networking/v1.ts";
import type { LabelSelector } from "../../machinery/index.ts";
import { IPV4 } from "../ip-family.ts";
import { compilePolicies } from "./compile.ts";
import { policyScript } from "./network-policies.ts";
import { NO_POLICIES, renderChange } from "./policy-table.ts";
import { isAllowed, type Packet, passes, type World } from "./testing.ts";

const namespaces = ["red", "blue"].map((name) => ({ metadata: { name, labels: { name, team: name === "red" ? "a" : "b" } } }));

const pod = (namespace: string, app: string, ip: string, nodeName: string, http = 8080) => ({
  metadata: { namespace, name: `${app}-${ip}`, labels: { app } },
  spec: {
    nodeName,
    containers: [
      {
        name: "c",
        ports: [
          { name: "http", containerPort: http },
          { name: "dns", containerPort: 53, protocol: "UDP" },
        ],
      },
    ],
  },
  status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
});
const pods = [
  pod("red", "web", "10.244.0.1", "node-1"),
  pod("red", "db", "10.244.0.2", "node-1"),
  pod("blue", "web", "10.244.0.3", "node-1", 9090),
  pod("red", "web", "10.244.1.1", "node-2", 8081),
  pod("blue", "db", "10.244.1.2", "node-2"),
];
const outside = ["192.0.2.7", "10.1.2.3"];

const policy = (namespace: string, name: string, spec: NetworkPolicySpec) => ({ metadata: { namespace, name }, spec });
const world = (...policies: ReturnType<typeof policy>[]): World => ({ policies, pods, namespaces });
const compile = (of: World, nodeName: string) => compilePolicies({ ...of, nodeName, family: IPV4 });
/** What both nodes together do. */
function through(of: World, packet: Packet): boolean {
  return ["node-1", "node-2"].every((node) => passes(compile(of, node), packet));
}
const packet = (source: string, destination: string, port = 8080, protocol = "tcp"): Packet => ({ source, destination, port, protocol });

describe("compilePolicies", () => {
  it("denies all ingress to the pods a policy selects, and nothing to others", () => {
    const denying = world(policy("red", "deny", { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"] }));
    assert.equal(through(denying, packet("10.244.0.1", "10.244.0.2")), false);
    assert.equal(through(denying, packet("10.244.0.2", "10.244.0.1")), true);
  });

  it("needs both the sender's egress and the receiver's ingress to allow", () => {
    const types = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
    const open = { ...types, ingress: [{}], egress: [{}] };
    assert.equal(through(world(policy("red", "a", types), policy("blue", "b", open)), packet("10.244.0.3", "10.244.0.1")), false);
    assert.equal(through(world(policy("red", "a", types), policy("blue", "b", open)), packet("10.244.0.1", "10.244.0.3")), false);
    assert.equal(through(world(policy("red", "a", open), policy("blue", "b", open)), packet("10.244.0.1", "10.244.0.3")), true);
  });

  it("allows what any of several policies allows", () => {
    const from = (app: string) => ({
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: { matchLabels: { app } } }] }],
    });
    const both = world(policy("red", "web", from("web")), policy("red", "db", from("db")));
    assert.equal(through(both, packet("10.244.0.2", "10.244.0.1")), true);
    assert.equal(through(both, packet("10.244.1.1", "10.244.0.1")), true);
    assert.equal(through(both, packet("10.244.0.3", "10.244.0.1")), false);
  });

  it("knows a named port by each destination's own number", () => {
    const named = world(
      policy("red", "n", { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ ports: [{ port: "http", protocol: "TCP" }] }] }),
    );
    assert.equal(through(named, packet("10.244.0.3", "10.244.1.1", 8081)), true);
    assert.equal(through(named, packet("10.244.0.3", "10.244.1.1", 8080)), false);
  });

  it("leaves out pods on the host's network, ended ones and those without an address", () => {
    const [first] = pods;
    const odd = [
      { ...first, metadata: { namespace: "red", name: "host" }, spec: { nodeName: "node-1", containers: [], hostNetwork: true } },
      { ...first, metadata: { namespace: "red", name: "done" }, status: { phase: "Succeeded", podIP: "10.244.0.9" } },
      { ...first, metadata: { namespace: "red", name: "new" }, status: { phase: "Pending" } },
    ];
    const deny = policy("red", "deny", { podSelector: {}, policyTypes: ["Ingress"] });
    const table = compilePolicies({ policies: [deny], pods: odd as never, namespaces, nodeName: "node-1", family: IPV4 });
    assert.equal(table.isolated.ingress.size, 0);
  });

  it("agrees with what the documentation says, for any policies and packets", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyPolicy, { maxLength: 4, selector: ({ metadata }) => `${metadata.namespace}/${metadata.name}` }),
        (policies) => {
          const of = world(...policies);
          const tables = ["node-1", "node-2"].map((node) => compile(of, node));
          for (const each of everyPacket()) {
            assert.equal(
              tables.every((table) => passes(table, each)),
              isAllowed(of, each),
              JSON.stringify(each),
            );
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("policyScript", () => {
  const options = { family: IPV4, table: "k8ts_policy" };
  const allow = (app: string) =>
    policy("red", "p", { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: { matchLabels: { app } } }] }] });

  it("makes no table without policies, and takes away one that may be left from before", () => {
    assert.equal(policyScript(options, NO_POLICIES, NO_POLICIES), "");
    assert.equal(policyScript(options, undefined, NO_POLICIES), "table ip k8ts_policy {}\ndelete table ip k8ts_policy\n");
    assert.match(policyScript(options, compile(world(allow("web")), "node-1"), NO_POLICIES), /^table ip k8ts_policy {}\ndelete table/);
  });

  it("says nothing when nothing differs", () => {
    assert.equal(renderChange(options, compile(world(allow("web")), "node-1"), compile(world(allow("web")), "node-1")), "");
  });

  it("adds a pod that a selector means to one set, and no more", () => {
    const before = world(allow("web"));
    const after = { ...before, pods: [...pods, pod("red", "web", "10.244.1.9", "node-2")] };
    const script = renderChange(options, compile(before, "node-1"), compile(after, "node-1"));
    assert.match(script, /^add element ip k8ts_policy addresses_\w+ { 10\.244\.1\.9 }\n$/);
  });

  it("replaces a chain's rules in the transaction that changes the sets", () => {
    const script = renderChange(options, compile(world(allow("web")), "node-1"), compile(world(allow("db")), "node-1"));
    const order = ["add set", "flush chain", "add rule", "delete set"].map((verb) => script.indexOf(verb));
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    assert.ok(!order.includes(-1));
  });
});

const selector: fc.Arbitrary<LabelSelector> = fc.constantFrom<LabelSelector[]>(
  {},
  { matchLabels: { app: "web" } },
  { matchLabels: { app: "db" } },
  { matchExpressions: [{ key: "app", operator: "NotIn", values: ["db"] }] },
);
const namespaceSelector = fc.constantFrom({}, { matchLabels: { team: "a" } }, { matchLabels: { team: "b" } });
const peer: fc.Arbitrary<NetworkPolicyPeer> = fc.oneof<fc.Arbitrary<NetworkPolicyPeer>[]>(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector }),
  fc.record({ namespaceSelector, podSelector: selector }),
  fc.constantFrom<NetworkPolicyPeer[]>(
    { ipBlock: { cidr: "0.0.0.0/0", except: ["10.244.0.0/31", "192.0.2.0/24"] } },
    { ipBlock: { cidr: "10.0.0.0/8" } },
    { ipBlock: { cidr: "192.0.2.7/32" } },
  ),
);
const ports: fc.Arbitrary<NetworkPolicyPort> = fc.constantFrom(
  { protocol: "TCP", port: 8080 },
  { protocol: "TCP", port: 8081, endPort: 9090 },
  { protocol: "TCP", port: "http" },
  { protocol: "UDP", port: "dns" },
  { protocol: "UDP" },
);
const some = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 2 });
const anyPolicy = fc
  .record({
    namespace: fc.constantFrom("red", "blue"),
    name: fc.constantFrom("a", "b", "c", "d"),
    podSelector: selector,
    policyTypes: fc.constantFrom<string[][]>(["Ingress"], ["Egress"], ["Ingress", "Egress"]),
    ingress: some(fc.record({ from: some(peer), ports: some(ports) })),
    egress: some(fc.record({ to: some(peer), ports: some(ports) })),
  })
  .map(({ namespace, name, ...spec }) => policy(namespace, name + JSON.stringify(spec).length, spec));

function* everyPacket(): Generator<Packet> {
  const addresses = [...pods.map(({ status }) => status.podIP), ...outside];
  for (const source of addresses) {
    for (const destination of addresses) {
      for (const [protocol, port] of [
        ["tcp", 8080],
        ["tcp", 8081],
        ["tcp", 80],
        ["udp", 53],
      ] as const)
        yield packet(source, destination, port, protocol);
    }
  }
}
