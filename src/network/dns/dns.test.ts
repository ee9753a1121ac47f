import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { type DecodedPacket, decode, encode, type Packet, type Question } from "dns-packet";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { fixedInformers } from "../testing.ts";
import { ClusterZone } from "./cluster-zone.ts";
import { DnsServer } from "./dns-server.ts";
import { Forwarder } from "./forwarder.ts";
import { Responder } from "./responder.ts";
import { type Exchange, withLength } from "./transport.ts";
import { upstreamServers } from "./upstreams.ts";

const service = (name: string, spec: object) => ({ metadata: { name, namespace: "default" }, spec });
const slice = (serviceName: string, endpoints: object[]) => ({
  metadata: { name: `${serviceName}-1`, namespace: "default", labels: { "kubernetes.io/service-name": serviceName } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints,
});
const informers = fixedInformers({
  services: [
    service("kubia", { clusterIP: "10.96.0.20", clusterIPs: ["10.96.0.20"], ports: [{ name: "http", port: 80, protocol: "TCP" }] }),
    service("db", { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "http", port: 80 }] }),
    service("empty", { clusterIP: "None", clusterIPs: ["None"] }),
    service("out", { type: "ExternalName", externalName: "example.org" }),
  ],
  endpointslices: [
    slice("db", [
      { addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } },
      { addresses: ["10.244.0.6"], conditions: { ready: true } },
      { addresses: ["10.244.0.7"], conditions: { ready: false } },
    ]),
  ],
});
const zone = new ClusterZone(informers, { domain: "cluster.local", serverAddress: "10.96.0.10" });
const clock = new VirtualClock();
const random = new SeededRandom(1);

function responder(exchange: Exchange, servers: readonly string[] = []): Responder {
  const upstreams = { servers, stubDomains: new Map() };
  return new Responder({ zone, forwarder: new Forwarder({ upstreams, exchange, clock, random, logger: silentLogger }), clock, random });
}

async function ask(
  name: string,
  type: Question["type"],
  via = responder(() => Promise.reject(new Error("no upstream"))),
): Promise<DecodedPacket & { readonly rcode?: string }> {
  const bytes = await via.respond(encode({ type: "query", id: 7, questions: [{ name, type }] }), "udp");
  assert.ok(bytes);
  return decode(bytes);
}

const data = (packet: Packet) => (packet.answers ?? []).map((answer) => ("data" in answer ? answer.data : undefined));

describe("the cluster's zone", () => {
  it("answers a service's name with its cluster IP", async () => {
    assert.deepEqual(data(await ask("KUBIA.default.svc.cluster.local", "A")), ["10.96.0.20"]);
  });

  it("says that a name exists but has no address of the other family", async () => {
    const packet = await ask("kubia.default.svc.cluster.local", "AAAA");
    assert.deepEqual([packet.rcode, packet.answers?.length, packet.authorities?.[0]?.type], ["NOERROR", 0, "SOA"]);
  });

  it("answers NXDOMAIN for services, namespaces and names below a cluster IP that are not there", async () => {
    for (const name of ["nope.default.svc", "kubia.nope.svc", "x.kubia.default.svc", "example.com.svc", "kubia.default.nope"]) {
      assert.equal((await ask(`${name}.cluster.local`, "A")).rcode, "NXDOMAIN", name);
    }
  });

  it("answers a headless service with its ready endpoints, together and by host name", async () => {
    assert.deepEqual(data(await ask("db.default.svc.cluster.local", "A")), ["10.244.0.5", "10.244.0.6"]);
    assert.deepEqual(data(await ask("db-0.db.default.svc.cluster.local", "A")), ["10.244.0.5"]);
    assert.deepEqual(data(await ask("10-244-0-6.db.default.svc.cluster.local", "A")), ["10.244.0.6"]);
    assert.equal((await ask("10-244-0-7.db.default.svc.cluster.local", "A")).rcode, "NXDOMAIN");
    assert.equal((await ask("empty.default.svc.cluster.local", "A")).rcode, "NOERROR");
  });

  it("answers SRV for named ports with the targets' addresses beside", async () => {
    const cluster = await ask("_http._tcp.kubia.default.svc.cluster.local", "SRV");
    assert.deepEqual(data(cluster), [{ priority: 0, weight: 100, port: 80, target: "kubia.default.svc.cluster.local" }]);
    const headless = await ask("_http._tcp.db.default.svc.cluster.local", "SRV");
    assert.deepEqual(data(headless)[0], { priority: 0, weight: 50, port: 8080, target: "db-0.db.default.svc.cluster.local" });
    assert.deepEqual(
      headless.additionals?.map((record) => ("data" in record ? record.data : undefined)),
      ["10.244.0.5", "10.244.0.6"],
    );
    assert.equal((await ask("_http._udp.kubia.default.svc.cluster.local", "SRV")).rcode, "NXDOMAIN");
  });

  it("answers reverse questions for services and headless endpoints", async () => {
    assert.deepEqual(data(await ask("20.0.96.10.in-addr.arpa", "PTR")), ["kubia.default.svc.cluster.local"]);
    assert.deepEqual(data(await ask("5.0.244.10.in-addr.arpa", "PTR")), ["db-0.db.default.svc.cluster.local"]);
  });

  it("answers external names with CNAME and pods by the address in their name", async () => {
    const upstream: Exchange = async (_, question) => {
      const { id = 0, questions = [] } = decode(question);
      return encode({ type: "response", id, questions, answers: [{ type: "A", name: questions[0]?.name ?? "", data: "192.0.2.7" }] });
    };
    const answer = await ask("out.default.svc.cluster.local", "A", responder(upstream, ["192.0.2.1"]));
    assert.deepEqual(data(answer), ["example.org", "192.0.2.7"]);
    assert.deepEqual(data(await ask("out.default.svc.cluster.local", "A")), ["example.org"]);
    assert.deepEqual(data(await ask("10-244-0-9.default.pod.cluster.local", "A")), ["10.244.0.9"]);
    assert.equal((await ask("300-1-1-1.default.pod.cluster.local", "A")).rcode, "NXDOMAIN");
  });
});

describe("forwarding", () => {
  it("passes other names on and tries the next server when one fails", async () => {
    const asked: string[] = [];
    const exchange: Exchange = async (server, question) => {
      asked.push(server);
      if (server === "192.0.2.1") throw new Error("timeout");
      const query = decode(question);
      return encode({
        type: "response",
        id: query.id ?? 0,
        questions: query.questions ?? [],
        answers: [{ type: "A", name: "example.com", data: "192.0.2.80" }],
      });
    };
    const packet = await ask("example.com", "A", responder(exchange, ["192.0.2.1", "192.0.2.2"]));
    assert.deepEqual([data(packet), asked], [["192.0.2.80"], ["192.0.2.1", "192.0.2.2"]]);
  });

  it("answers SERVFAIL when no server answers", async () => {
    assert.equal((await ask("example.com", "A")).rcode, "SERVFAIL");
  });

  it("never forwards to itself or to a stub on loopback", () => {
    assert.deepEqual(
      upstreamServers(["nameserver 127.0.0.53\nnameserver 10.96.0.10\n", "# real\nnameserver 192.0.2.1\n"], ["10.96.0.10"]),
      ["192.0.2.1"],
    );
    assert.deepEqual(upstreamServers(["nameserver 127.0.0.1\n"], []), []);
  });
});

describe("the DNS server", () => {
  it("answers over UDP and TCP, and says nothing to what is not DNS", async () => {
    const server = new DnsServer({
      responder: responder(() => Promise.reject(new Error("no upstream"))),
      address: "127.0.0.1",
      port: 0,
      logger: silentLogger,
    });
    const { udpPort, tcpPort } = await server.listen();
    const question = encode({ type: "query", id: 9, questions: [{ name: "kubia.default.svc.cluster.local", type: "A" }] });

    const udp = createSocket("udp4");
    udp.send(Buffer.from("x"), udpPort, "127.0.0.1");
    udp.send(question, udpPort, "127.0.0.1");
    const [answer] = (await once(udp, "message")) as [Buffer];
    assert.deepEqual(data(decode(answer)), ["10.96.0.20"]);
    udp.close();

    const tcp = connect(tcpPort, "127.0.0.1");
    tcp.write(withLength(question));
    const [framed] = (await once(tcp, "data")) as [Buffer];
    assert.deepEqual(data(decode(framed.subarray(2))), ["10.96.0.20"]);
    tcp.destroy();
    await server.close();
  });
});
