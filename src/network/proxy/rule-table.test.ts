import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { IPV4 } from "../ip-family.ts";
import { EndpointIds } from "./endpoint-ids.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import { type Element, hostPortFragment, serviceFragment } from "./fragment.ts";
import { hostPortsOf } from "./host-port.ts";
import { RuleTable } from "./rule-table.ts";
import type { ProxyServicePort } from "./service-port.ts";

const options = { table: "k8ts", family: IPV4, clusterCidr: "10.244.0.0/16" };
const endpoint = (ip: string, isLocal = false): ProxyEndpoint => ({ ip, port: 8080, isLocal });

function port(overrides: Partial<ProxyServicePort> = {}): ProxyServicePort {
  const endpoints = overrides.clusterEndpoints ?? [endpoint("10.244.0.2", true), endpoint("10.244.1.2")];
  return {
    protocol: "tcp",
    port: 80,
    clusterIps: ["10.96.0.20"],
    externalIps: [],
    sourceRanges: [],
    restrictedIps: [],
    nodePort: 0,
    affinitySeconds: 0,
    clusterEndpoints: endpoints,
    localEndpoints: endpoints.filter(({ isLocal }) => isLocal),
    isInternalLocal: false,
    isExternalLocal: false,
    hasAnyEndpoint: endpoints.length > 0,
    ...overrides,
  };
}

const build = (ports: ProxyServicePort[], ids = new EndpointIds()) => ids.assign("owner", (idOf) => serviceFragment(ports, idOf));
const values = (elements: readonly Element[], collection: string) =>
  Object.fromEntries(elements.filter((element) => element.collection === collection).map(({ key, value }) => [key, value]));

describe("serviceFragment", () => {
  it("leads a cluster IP to the chain of its number of endpoints", () => {
    const { elements } = build([port()]);
    assert.deepEqual(values(elements, "services"), { "10.96.0.20 . tcp . 80": "goto lb_internal_2" });
    assert.equal(values(elements, "endpoints")["10.96.0.20 . tcp . 80 . 1"], "10.244.1.2 . 8080");
    assert.deepEqual(values(elements, "hairpin"), { "10.244.0.2 . 10.244.0.2": "" });
  });

  it("refuses what has no endpoints", () => {
    const { elements, chains } = build([port({ clusterEndpoints: [], nodePort: 30_080 })]);
    assert.deepEqual(values(elements, "refused"), { "10.96.0.20 . tcp . 80": "goto refuse" });
    assert.deepEqual(values(elements, "refused_nodeports"), { "tcp . 30080": "goto refuse" });
    assert.deepEqual(chains, []);
  });

  it("gives traffic from outside only to the node's own endpoints with externalTrafficPolicy Local, and to all from inside", () => {
    const { elements } = build([port({ isExternalLocal: true, externalIps: ["192.0.2.7"] })]);
    const key = "192.0.2.7 . tcp . 80";
    assert.equal(values(elements, "services")[key], "goto lb_local_1_of_2");
    assert.equal(values(elements, "endpoints")[`${key} . 0`], "10.244.0.2 . 8080");
    assert.equal(values(elements, "endpoints")[`${key} . ${0x8000 + 1}`], "10.244.1.2 . 8080");
  });

  it("drops traffic from outside that another node could serve with externalTrafficPolicy Local", () => {
    const { elements } = build([port({ isExternalLocal: true, nodePort: 30_080, localEndpoints: [] })]);
    assert.deepEqual(values(elements, "refused_nodeports"), { "tcp . 30080": "drop" });
    assert.deepEqual(values(elements, "nodeports"), { "tcp . 30080": "goto np_local_0_of_2" });
  });

  it("keeps traffic from inside on the node with internalTrafficPolicy Local", () => {
    const { elements } = build([port({ isInternalLocal: true })]);
    assert.deepEqual(values(elements, "endpoints"), { "10.96.0.20 . tcp . 80 . 0": "10.244.0.2 . 8080" });
    const none = build([port({ isInternalLocal: true, localEndpoints: [] })]);
    assert.deepEqual(values(none.elements, "refused"), { "10.96.0.20 . tcp . 80": "drop" });
  });

  it("lets only the source ranges reach a load balancer's address, each address once", () => {
    const { elements } = build([
      port({ externalIps: ["192.0.2.7"], restrictedIps: ["192.0.2.7"], sourceRanges: ["10.0.0.0/8", "10.1.0.0/16", "198.51.100.4/32"] }),
    ]);
    assert.deepEqual(Object.keys(values(elements, "restricted")), ["192.0.2.7 . tcp . 80"]);
    assert.deepEqual(Object.keys(values(elements, "sources")), [
      "192.0.2.7 . tcp . 80 . 10.0.0.0-10.255.255.255",
      "192.0.2.7 . tcp . 80 . 198.51.100.4",
    ]);
  });
});

describe("EndpointIds", () => {
  it("keep an endpoint's number while others come and go", () => {
    const ids = new EndpointIds();
    const sticky = (ips: string[]) => build([port({ affinitySeconds: 60, clusterEndpoints: ips.map((ip) => endpoint(ip)) })], ids).elements;
    const idOfSecond = values(sticky(["10.244.0.2", "10.244.1.2"]), "endpoint_ids")["10.96.0.20 . tcp . 80 . 1"];
    const alone = sticky(["10.244.1.2"]);
    assert.equal(values(alone, "endpoint_ids")["10.96.0.20 . tcp . 80 . 0"], idOfSecond);
    assert.equal(values(alone, "endpoints")[`10.96.0.20 . tcp . 80 . ${idOfSecond}`], "10.244.1.2 . 8080");
  });

  it("forget endpoints that nobody has, and give their numbers to no other", () => {
    const ids = new EndpointIds();
    const numbers = new Set<number>();
    for (let round = 0; round < 100; round++) ids.assign("a", (idOf) => numbers.add(idOf(`10.244.0.${round} . 80`)));
    assert.equal(ids.size, 1);
    assert.equal(numbers.size, 100);
    ids.assign("a", () => undefined);
    assert.equal(ids.size, 0);
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
    const { elements } = hostPortFragment(hostPortsOf(pod({ phase: "Running", podIP: "10.244.0.9" }), IPV4));
    assert.deepEqual(values(elements, "hostports"), { "tcp . 8080": "10.244.0.9 . 80" });
    assert.deepEqual(values(elements, "hostport_addresses"), { "192.0.2.1 . udp . 5353": "10.244.0.9 . 53" });
  });

  it("are gone with the pod's end, and are not ours on the host's network", () => {
    assert.deepEqual(hostPortsOf(pod({ phase: "Failed", podIP: "10.244.0.9" }), IPV4), []);
    assert.deepEqual(hostPortsOf(pod({ phase: "Running", podIP: "192.0.2.1" }, { hostNetwork: true }), IPV4), []);
    assert.deepEqual(hostPortsOf(pod({ phase: "Pending" }), IPV4), []);
  });
});

describe("RuleTable", () => {
  const lines = (script: string) => script.split("\n").filter((line) => line !== "");

  it("says nothing when nothing differs", () => {
    const rules = new RuleTable();
    rules.set("a", build([port()]));
    rules.takeChange(options);
    rules.set("a", build([port()]));
    assert.equal(rules.takeChange(options), "");
  });

  it("adds a service to a table of many with its own elements only", () => {
    const rules = new RuleTable();
    for (let index = 0; index < 100; index++) rules.set(`other ${index}`, build([port({ clusterIps: [`10.96.1.${index}`] })]));
    rules.takeChange(options);
    rules.set("a", build([port()]));
    assert.deepEqual(lines(rules.takeChange(options)), [
      "add element ip k8ts endpoints { 10.96.0.20 . tcp . 80 . 0 : 10.244.0.2 . 8080, 10.96.0.20 . tcp . 80 . 1 : 10.244.1.2 . 8080 }",
      "add element ip k8ts services { 10.96.0.20 . tcp . 80 : goto lb_internal_2 }",
    ]);
  });

  it("makes chains before what names them, and deletes them after", () => {
    const rules = new RuleTable();
    rules.set("a", build([port({ isExternalLocal: true, nodePort: 30_080 })]));
    const script = rules.takeChange(options);
    assert.ok(script.indexOf("add chain ip k8ts np_inside_2") < script.indexOf("add chain ip k8ts np_local_1_of_2"));
    assert.ok(script.indexOf("add chain ip k8ts np_local_1_of_2") < script.indexOf("add element ip k8ts nodeports"));
    rules.set("a");
    const back = rules.takeChange(options);
    assert.ok(back.indexOf("delete element ip k8ts nodeports") < back.indexOf("delete chain ip k8ts np_local_1_of_2"));
    assert.ok(back.indexOf("delete chain ip k8ts np_local_1_of_2") < back.indexOf("delete chain ip k8ts np_inside_2"));
  });

  it("gives an address that two claim to the other when the first lets go", () => {
    const rules = new RuleTable();
    const claim = (node: string) => build([port({ clusterIps: [], externalIps: ["192.0.2.7"], clusterEndpoints: [endpoint(node)] })]);
    rules.set("a", claim("10.244.0.2"));
    rules.set("b", claim("10.244.0.3"));
    assert.match(rules.takeChange(options), /80 \. 0 : 10\.244\.0\.2 \. 8080/);
    rules.set("a");
    assert.match(rules.takeChange(options), /add element ip k8ts endpoints { 192\.0\.2\.7 \. tcp \. 80 \. 0 : 10\.244\.0\.3 \. 8080 }/);
  });

  it("tells all again to a kernel that has lost it", () => {
    const rules = new RuleTable();
    rules.set("a", build([port()]));
    const first = rules.takeChange(options);
    rules.startOver();
    assert.equal(rules.takeChange(options), first);
  });

  it("comes to the same by changes as from nothing", () => {
    const endpoints = fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 4 });
    const step = fc.record({ owner: fc.constantFrom("a", "b", "c"), ip: fc.integer({ min: 1, max: 3 }), endpoints, sticky: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const ids = new EndpointIds();
        const changed = new RuleTable();
        const kernel = new Kernel();
        const last = new Map<string, ReturnType<typeof serviceFragment>>();
        for (const { owner, ip, endpoints: hosts, sticky } of steps) {
          const ports = port({
            clusterIps: [`10.96.0.${ip}`],
            affinitySeconds: sticky ? 60 : 0,
            clusterEndpoints: hosts.map((host) => endpoint(`10.244.0.${host}`, host < 3)),
          });
          const fragment = ids.assign(owner, (idOf) => serviceFragment([ports], idOf));
          changed.set(owner, fragment);
          last.set(owner, fragment);
          kernel.run(changed.takeChange(options));
        }
        const fresh = new RuleTable();
        for (const [owner, fragment] of last) fresh.set(owner, fragment);
        const anew = new Kernel();
        anew.run(fresh.takeChange(options));
        assert.deepEqual(kernel.contents(), anew.contents());
      }),
    );
  });
});

/** Plays nft: holds elements and chains, and refuses what nft would. */
class Kernel {
  readonly #held = new Map<string, string>();

  run(script: string): void {
    for (const line of script.split("\n")) {
      const [, verb, kind, name = "", , body = ""] = /^(\w+) (element|chain) ip k8ts (\S+)( { (.*) })?$/.exec(line) ?? [];
      if (kind === "chain") this.#change(verb, `chain ${name}`, "");
      if (kind === "element") {
        for (const element of body.split(", ")) {
          const [key = "", value = ""] = element.split(" : ");
          this.#change(verb, `${name} ${key}`, value);
        }
      }
    }
  }

  contents(): [string, string][] {
    return [...this.#held].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #change(verb: string | undefined, key: string, value: string): void {
    if (verb === "delete") {
      assert.ok(this.#held.delete(key), `${key} is not there`);
    } else {
      assert.ok(!this.#held.has(key), `${key} is there already`);
      this.#held.set(key, value);
    }
  }
}
