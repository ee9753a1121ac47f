import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DecodedPacket, decode, encode, type Packet } from "dns-packet";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { MemoryInformers } from "../testing.ts";
import { ClusterZone } from "./cluster-zone.ts";
import { Forwarder } from "./forwarder.ts";
import { Responder } from "./responder.ts";

const service = (name: string, spec: object) => ({ metadata: { name, namespace: "default" }, spec });
const slice = (name: string, addressType: string, addresses: readonly string[]) => ({
  metadata: { name: `${name}-${addressType}`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
  addressType,
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
});

function start() {
  const informers = new MemoryInformers();
  informers.set("services", service("web", { clusterIP: "10.96.0.20", clusterIPs: ["10.96.0.20", "fd00:96::20"], ports: [] }) as never);
  informers.set("services", service("db", { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "http", port: 80 }] }) as never);
  informers.set("endpointslices", slice("db", "IPv4", ["10.244.0.5", "10.244.0.6", "10.244.0.7"]) as never);
  informers.set("endpointslices", slice("db", "IPv6", ["fd00:244::5"]) as never);
  const zone = new ClusterZone(informers, { domain: "cluster.local", serverAddress: "10.96.0.10" });
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const exchange = () => Promise.reject(new Error("no upstream"));
  const upstreams = { servers: [], stubDomains: new Map() };
  const forwarder = new Forwarder({ upstreams, exchange, clock, random, logger: silentLogger });
  const responder = new Responder({ zone, forwarder, clock, random });
  const ask = async (query: Packet, protocol: "udp" | "tcp" = "udp") => {
    const bytes = await responder.respond(encode({ type: "query", id: 7, ...query }), protocol);
    assert.ok(bytes);
    const answer: DecodedPacket & { readonly rcode?: string } = decode(bytes);
    return { ...answer, size: bytes.length };
  };
  const about = (name: string, type: "A" | "AAAA" | "PTR" | "SOA" | "NS" | "TXT" = "A", rest: Packet = {}) =>
    ask({ questions: [{ name, type }], ...rest });
  return { informers, ask, about };
}

const edns = (udpPayloadSize: number, ednsVersion = 0) => ({
  type: "OPT" as const,
  name: ".",
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion,
  flags: 0,
  flag_do: false,
  options: [],
});
const data = ({ answers = [] }: Packet) => answers.map((answer) => ("data" in answer ? answer.data : undefined));
const many = Array.from({ length: 100 }, (_, index) => `10.244.1.${index}`);

describe("the responder", () => {
  it("knows both families: addresses, reverse names, pods", async () => {
    const { about } = start();
    assert.deepEqual(data(await about("web.default.svc.cluster.local", "AAAA")), ["fd00:96::20"]);
    assert.deepEqual(data(await about("db.default.svc.cluster.local", "AAAA")), ["fd00:244::5"]);
    assert.deepEqual(data(await about("fd00--7.default.pod.cluster.local", "AAAA")), ["fd00::7"]);
    const nibbles = "fd000096000000000000000000000020".split("").reverse().join(".");
    assert.deepEqual(data(await about(`${nibbles}.ip6.arpa`, "PTR")), ["web.default.svc.cluster.local"]);
  });

  it("answers for the domain itself", async () => {
    const { about } = start();
    assert.equal((await about("cluster.local", "SOA")).answers?.[0]?.type, "SOA");
    assert.deepEqual(data(await about("cluster.local", "NS")), ["ns.dns.cluster.local"]);
    assert.deepEqual(data(await about("ns.dns.cluster.local")), ["10.96.0.10"]);
    assert.equal(String(data(await about("dns-version.cluster.local", "TXT"))[0]), "1.1.0");
  });

  it("says for how long a no holds", async () => {
    const { about } = start();
    const no = await about("nope.default.svc.cluster.local");
    const [soa] = no.authorities ?? [];
    assert.ok(soa?.type === "SOA");
    assert.deepEqual([no.rcode, soa.name, soa.data.minimum], ["NXDOMAIN", "cluster.local", 5]);
  });

  it("answers in EDNS to those who speak it, and tells the versions that it does not know", async () => {
    const { about } = start();
    const plain = await about("web.default.svc.cluster.local");
    assert.equal(plain.additionals?.length, 0);
    const extended = await about("web.default.svc.cluster.local", "A", { additionals: [edns(1232)] });
    assert.equal(extended.additionals?.[0]?.type, "OPT");
    const version = await about("web.default.svc.cluster.local", "A", { additionals: [edns(1232, 1)] });
    assert.deepEqual([data(version), version.additionals?.[0]?.type === "OPT" && version.additionals[0].extendedRcode], [[], 1]);
  });

  it("cuts off what a datagram cannot hold, says so, and gives all by TCP", async () => {
    const { informers, about, ask } = start();
    informers.set("endpointslices", slice("db", "IPv4", many) as never);
    const small = await about("db.default.svc.cluster.local");
    assert.ok(small.flag_tc && small.size <= 512 && (small.answers?.length ?? 0) > 0);
    const large = await about("db.default.svc.cluster.local", "A", { additionals: [edns(65_000)] });
    assert.ok(large.flag_tc && large.size <= 1232 && (large.answers?.length ?? 0) > (small.answers?.length ?? 0));
    const tcp = await ask({ questions: [{ name: "db.default.svc.cluster.local", type: "A" }] }, "tcp");
    assert.deepEqual([tcp.flag_tc, tcp.answers?.length], [false, 100]);
  });

  it("answers the same question again under its own id, until the zone changes", async () => {
    const { informers, about } = start();
    await about("web.default.svc.cluster.local");
    const again = await about("web.default.svc.cluster.local", "A", { id: 99 });
    assert.deepEqual([again.id, data(again)], [99, ["10.96.0.20"]]);
    informers.set("services", service("web", { clusterIP: "10.96.0.21", clusterIPs: ["10.96.0.21"] }) as never);
    assert.deepEqual(data(await about("web.default.svc.cluster.local")), ["10.96.0.21"]);
  });

  it("turns the addresses of a name, so that all are the first in turn", async () => {
    const { about } = start();
    const firsts = [];
    while (firsts.length < 6) firsts.push(data(await about("db.default.svc.cluster.local"))[0]);
    const round = ["10.244.0.5", "10.244.0.6", "10.244.0.7"];
    assert.deepEqual(firsts, [...round, ...round]);
  });

  it("refuses what is no plain question", async () => {
    const { ask } = start();
    const question = { name: "web.default.svc.cluster.local", type: "A" } as const;
    assert.equal((await ask({ questions: [question], flags: 0x2000 })).rcode, "NOTIMP");
    assert.equal((await ask({ questions: [question, question] })).rcode, "FORMERR");
    assert.equal((await ask({ questions: [{ ...question, class: "CH" }] })).rcode, "REFUSED");
  });
});
