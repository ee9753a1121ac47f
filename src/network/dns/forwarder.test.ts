import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Answer, decode, encode, type Packet, TRUNCATED_RESPONSE } from "dns-packet";
import { type Logger, SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { Forwarder } from "./forwarder.ts";
import type { Exchange } from "./transport.ts";
import { configuredUpstreams } from "./upstream-config.ts";

const query = (name: string, id = 7) => encode({ type: "query", id, questions: [{ name, type: "A" }] });
const address = (name: string, ttl = 60): Answer => ({ type: "A", name, ttl, data: "192.0.2.80" });
const soa = (ttl: number, minimum: number): Answer => ({
  type: "SOA",
  name: "org",
  ttl,
  data: { mname: "a", rname: "b", serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});

/** Name servers that answer with `reply`; those in `down` do not. */
function start(reply: (name: string) => Packet, options: { down?: Set<string>; stubDomains?: [string, string[]][]; logger?: Logger } = {}) {
  const asked: string[] = [];
  const exchange: Exchange = async (server, message) => {
    const { id = 0, questions = [] } = decode(message);
    asked.push(server);
    if (options.down?.has(server) === true) throw new Error("timeout");
    return encode({ type: "response", id, questions, ...reply(questions[0]?.name ?? "") });
  };
  const clock = new VirtualClock();
  const upstreams = { servers: ["192.0.2.1", "192.0.2.2"], stubDomains: new Map(options.stubDomains) };
  const forwarder = new Forwarder({ upstreams, exchange, clock, random: new SeededRandom(1), logger: options.logger ?? silentLogger });
  const ask = async (name: string, id?: number) => {
    const answer = await forwarder.answer(query(name, id), name, "udp");
    return answer === undefined ? undefined : decode(answer);
  };
  return { forwarder, clock, asked, ask };
}

describe("the forwarder", () => {
  it("remembers an answer for as long as it holds, and lets its time run down", async () => {
    const { clock, asked, ask } = start((name) => ({ answers: [address(name, 10)] }));
    await ask("example.org");
    await clock.advance(4_000);
    const kept = await ask("example.org", 99);
    assert.deepEqual([kept?.id, kept?.answers?.[0]?.type === "A" && kept.answers[0].ttl, asked.length], [99, 6, 1]);
    await clock.advance(7_000);
    await ask("example.org");
    assert.equal(asked.length, 2);
  });

  it("keeps nothing longer than half a minute", async () => {
    const { clock, asked, ask } = start((name) => ({ answers: [address(name, 86_400)] }));
    await ask("example.org");
    await clock.advance(31_000);
    await ask("example.org");
    assert.equal(asked.length, 2);
  });

  it("remembers a no as its SOA record says, and neither failures nor what was cut off", async () => {
    const no = start(() => ({ flags: 3, authorities: [soa(60, 5)] }));
    await no.ask("nope.org");
    await no.clock.advance(4_000);
    await no.ask("nope.org");
    assert.equal(no.asked.length, 1);
    await no.clock.advance(2_000);
    await no.ask("nope.org");
    assert.equal(no.asked.length, 2);
    for (const flags of [2, TRUNCATED_RESPONSE]) {
      const failing = start((name) => ({ flags, answers: [address(name)] }));
      await failing.ask("example.org");
      await failing.ask("example.org");
      assert.equal(failing.asked.length, 2);
    }
  });

  it("asks once for many who ask the same at the same time", async () => {
    const { asked, ask } = start((name) => ({ answers: [address(name)] }));
    const answers = await Promise.all([1, 2, 3].map((id) => ask("example.org", id)));
    assert.deepEqual([asked.length, answers.map((answer) => answer?.id)], [1, [1, 2, 3]]);
  });

  it("asks a server that did not answer last, for a while", async () => {
    const { clock, asked, ask } = start((name) => ({ answers: [address(name, 0)] }), { down: new Set(["192.0.2.1"]) });
    await ask("a.org");
    await ask("b.org");
    await clock.advance(11_000);
    await ask("c.org");
    assert.deepEqual(asked, ["192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.1", "192.0.2.2"]);
  });

  it("asks the servers of the longest stub domain that a name is in", async () => {
    const stubDomains: [string, string[]][] = [
      ["corp", ["198.51.100.1"]],
      ["lab.corp", ["198.51.100.2"]],
    ];
    const { asked, ask } = start((name) => ({ answers: [address(name)] }), { stubDomains });
    for (const name of ["a.lab.corp", "a.corp", "corp", "notcorp"]) await ask(name);
    assert.deepEqual(asked, ["198.51.100.2", "198.51.100.1", "198.51.100.1", "192.0.2.1"]);
  });

  it("leaves out a server that leads back to us, and says what to do", async () => {
    const sentences: string[] = [];
    const logger = { ...silentLogger, error: (message: string) => sentences.push(message) };
    let recognise = (_: string) => false;
    const { forwarder, asked, ask } = start((name) => (recognise(name) ? { flags: 5 } : { answers: [address(name)] }), { logger });
    recognise = (name) => asked.at(-1) === "192.0.2.1" && forwarder.recognise(name);
    await forwarder.probe();
    asked.length = 0;
    await ask("example.org");
    assert.deepEqual(asked, ["192.0.2.2"]);
    assert.match(sentences.join(), /^name server 192\.0\.2\.1 asks this DNS server again; .* resolv\.conf$/);
  });
});

describe("configuredUpstreams", () => {
  const of = (data: Record<string, string>, problems: string[] = []) =>
    configuredUpstreams({ metadata: {}, data }, ["192.0.2.1"], (problem) => problems.push(problem));

  it("reads stub domains and name servers as Kubernetes documents them", () => {
    const { servers, stubDomains } = of({ stubDomains: '{"Corp.Local.": ["10.0.0.1"]}', upstreamNameservers: '["8.8.8.8"]' });
    assert.deepEqual([servers, [...stubDomains]], [["8.8.8.8"], [["corp.local", ["10.0.0.1"]]]]);
    assert.deepEqual(of({}).servers, ["192.0.2.1"]);
  });

  it("says what it cannot read and goes on without", () => {
    const problems: string[] = [];
    assert.deepEqual(of({ stubDomains: "corp: 10.0.0.1" }, problems).servers, ["192.0.2.1"]);
    assert.match(problems.join(), /^stubDomains of the ConfigMap kube-system\/kube-dns is not JSON/);
  });
});
