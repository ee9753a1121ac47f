// Two API servers on one etcd: what one has written, the other answers at once, and both tell the same history.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoreFixture, configMap } from "../../src/apiserver/registry/testing/core-fixture.ts";
import { EtcdCluster, hasEtcd, realClock } from "../../src/storage/etcd/etcd.fixture.ts";

const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(3, "0")}`);

async function startTwo(etcd: EtcdCluster) {
  const [first, second] = [await etcd.open("/two"), await etcd.open("/two")];
  const one = await CoreFixture.start({ store: first, clock: realClock });
  const two = await CoreFixture.start({ store: second, clock: realClock });
  return {
    one,
    two,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
      await Promise.all([first.close(), second.close()]);
    },
  };
}

describe("two servers on one etcd", { skip: hasEtcd ? false : "there is no etcd on this machine" }, () => {
  it("answer reads with everything that was acknowledged by either", async () => {
    await using etcd = await EtcdCluster.start();
    await using servers = await startTwo(etcd);
    const { one, two } = servers;
    for (const name of names(50, "c")) {
      await one.create("configmaps", configMap(name));
      assert.equal((await two.get("configmaps", name)).object.metadata.name, name);
      await two.create("configmaps", configMap(`${name}-x`));
      const { items } = await one.core.list(one.scope("configmaps"), {});
      assert.ok(items.some(({ object }) => object.metadata.name === `${name}-x`));
    }
  });

  it("let one of two concurrent writers win, and tell watchers the same events in the same order", async () => {
    await using etcd = await EtcdCluster.start();
    await using servers = await startTwo(etcd);
    const { one, two } = servers;
    const abort = new AbortController();
    const { resourceVersion } = await one.core.list(one.scope("configmaps"), {});
    const follow = async (server: CoreFixture, history: string[]) => {
      const batches = await server.core.watch(server.scope("configmaps", { signal: abort.signal }), { resourceVersion });
      for await (const batch of batches) {
        for (const event of batch) {
          if (event.type !== "BOOKMARK" && event.type !== "ERROR") {
            const { name = "", resourceVersion = "" } = event.stored.object.metadata;
            history.push(`${event.type} ${name} ${resourceVersion}`);
          }
        }
      }
    };
    const histories: [string[], string[]] = [[], []];
    const following = [follow(one, histories[0]), follow(two, histories[1])];
    const results = await Promise.all(
      names(40, "k").map((name) => Promise.allSettled([one, two].map((server) => server.create("configmaps", configMap(name))))),
    );
    for (const pair of results) assert.deepEqual(pair.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    while (histories.some((history) => history.filter((line) => line.includes(" k")).length < 40)) await realClock.sleep(10);
    assert.deepEqual(histories[0], histories[1]);
    abort.abort();
    await Promise.all(following);
  });
});
