import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { builtInCatalog, resources } from "../api/index.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import type { Client } from "./client.ts";
import { FakeHandler } from "./fake-handler.ts";
import { LeaderElection } from "./leader-election.ts";
import { LocalClient } from "./local/local-client.ts";

const lease = { namespace: "kube-system", name: "controllers" };

function setUp() {
  const handler = new FakeHandler();
  const clock = new VirtualClock();
  const client = new LocalClient({ handler, catalog: builtInCatalog(), user: { name: "test", groups: [] }, userAgent: "test" });
  const log: string[] = [];
  const start = (identity: string, by: Client = client) => {
    const random = new SeededRandom(identity.charCodeAt(0));
    const election = new LeaderElection({ client: by, clock, random, logger: silentLogger, ...lease, identity });
    const stop = new AbortController();
    const running = election.run(stop.signal, async (leadingSignal) => {
      log.push(`${identity} leads`);
      await new Promise((resolve) => leadingSignal.addEventListener("abort", resolve, { once: true }));
      log.push(`${identity} stops`);
    });
    return { election, stop, running };
  };
  return { handler, clock, client, log, start };
}

/** A client whose connection can be cut. */
function cuttable(client: Client) {
  const connection = { isCut: false };
  const proxy = new Proxy(client, {
    get: (target, name: keyof Client) => {
      if (connection.isCut) return () => Promise.reject(new Error("cut"));
      return target[name].bind(target);
    },
  });
  return { connection, proxy };
}

describe("LeaderElection", () => {
  test("lets one lead, and the next as soon as it stops", async () => {
    const { clock, client, log, start } = setUp();
    const a = start("a");
    await clock.advance(0);
    const b = start("b");
    await clock.advance(60_000);
    assert.deepEqual(log, ["a leads"]);
    assert.equal(b.election.leader, "a");
    a.stop.abort();
    await a.running;
    const released = await client.get(resources.leases, lease.name, { namespace: lease.namespace });
    assert.equal(released.spec?.holderIdentity, "");
    await clock.advance(4400);
    assert.deepEqual(log, ["a leads", "a stops", "b leads"]);
    const taken = await client.get(resources.leases, lease.name, { namespace: lease.namespace });
    assert.deepEqual([taken.spec?.holderIdentity, taken.spec?.leaseTransitions, taken.spec?.leaseDurationSeconds], ["b", 1, 15]);
    b.stop.abort();
    await b.running;
  });

  test("a leader that cannot renew stops before another leads", async () => {
    const { clock, client, log, start } = setUp();
    const { connection, proxy } = cuttable(client);
    const a = start("a", proxy);
    await clock.advance(1000);
    const b = start("b");
    await clock.advance(5000);
    connection.isCut = true;
    await clock.advance(10_000);
    assert.deepEqual(log, ["a leads", "a stops"]);
    await clock.advance(10_000);
    assert.deepEqual(log, ["a leads", "a stops", "b leads"]);
    for (const { stop, running } of [a, b]) {
      stop.abort();
      await running;
    }
  });

  test("gives the lease back when the work fails, and rejects as it does", async () => {
    const { clock, client } = setUp();
    const random = new SeededRandom(1);
    const election = new LeaderElection({ client, clock, random, logger: silentLogger, ...lease, identity: "a" });
    await assert.rejects(
      election.run(new AbortController().signal, () => Promise.reject(new Error("broken"))),
      { message: "broken" },
    );
    assert.equal(election.leader, "");
  });
});
