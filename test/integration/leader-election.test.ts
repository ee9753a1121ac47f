import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { builtInCatalog, resources } from "../../src/api/index.ts";
import { ApiServerCore, allowAll } from "../../src/apiserver/index.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../src/base/index.ts";
import { ControlPlane } from "../../src/cmd/control-plane/control-plane.ts";
import { MemoryStore } from "../../src/storage/index.ts";

/** Several servers' control planes over one store. */
class Servers implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly #catalog = builtInCatalog();
  readonly #random = new SeededRandom(3);
  readonly #core: ApiServerCore;
  readonly #all = new AbortController();
  readonly #running: Promise<void>[] = [];

  private constructor() {
    const { clock } = this;
    const store = new MemoryStore({ clock });
    const common = { clock, random: this.#random, logger: silentLogger, catalog: this.#catalog };
    this.#core = new ApiServerCore({ ...common, store, authorizer: allowAll, deepFreezes: true });
  }

  static async start(): Promise<Servers> {
    const servers = new Servers();
    await servers.#core.start(servers.#all.signal);
    return servers;
  }

  /** Answers how to stop the server. */
  startServer(identity: string): { readonly plane: ControlPlane; stop(): Promise<void> } {
    const stop = new AbortController();
    const common = { clock: this.clock, random: this.#random, logger: silentLogger, catalog: this.#catalog };
    const plane = new ControlPlane({ ...common, handler: this.#core, caPem: "CA", podNetwork: "10.244.0.0/16", election: { identity } });
    const running = plane.run(AbortSignal.any([stop.signal, this.#all.signal]));
    this.#running.push(running);
    return {
      plane,
      stop: async () => {
        stop.abort();
        await this.clock.advance(1);
        await running;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#all.abort();
    await this.clock.advance(1);
    await Promise.all(this.#running);
  }
}

describe("two servers on one store", () => {
  it("have one leader at a time, and the other takes over when it stops", async () => {
    await using servers = await Servers.start();
    const first = servers.startServer("a");
    await servers.clock.advance(100);
    const second = servers.startServer("b");
    const client = second.plane.adminClient;
    const lease = async () => (await client.get(resources.leases, "kube-controller-manager", { namespace: "kube-system" })).spec;
    const accountIn = (namespace: string) => client.get(resources.serviceaccounts, "default", { namespace });
    await servers.clock.advance(60_000);
    assert.equal((await lease())?.holderIdentity, "a");
    await client.create(resources.namespaces, { metadata: { name: "one" } });
    await servers.clock.advance(1_000);
    await accountIn("one");
    await first.stop();
    await client.create(resources.namespaces, { metadata: { name: "two" } });
    await servers.clock.advance(5_000);
    assert.deepEqual([(await lease())?.holderIdentity, (await lease())?.leaseTransitions], ["b", 1]);
    await accountIn("two");
  });

  it("do not wait for their own lease after a restart", async () => {
    await using servers = await Servers.start();
    const lease = {
      metadata: { name: "kube-controller-manager", namespace: "kube-system" },
      spec: { holderIdentity: "a", renewTime: "2026-01-01T00:00:00.000000Z" },
    };
    const { plane } = servers.startServer("b");
    await servers.clock.advance(1);
    const held = await plane.adminClient.get(resources.leases, lease.metadata.name, { namespace: "kube-system" });
    await plane.adminClient.update(resources.leases, { ...held, spec: lease.spec });
    servers.startServer("a");
    await servers.clock.advance(100);
    const { spec } = await plane.adminClient.get(resources.leases, lease.metadata.name, { namespace: "kube-system" });
    assert.equal(spec?.holderIdentity, "a");
    assert.notEqual(spec?.renewTime, lease.spec.renewTime);
  });
});
