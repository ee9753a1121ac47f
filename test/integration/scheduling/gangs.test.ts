import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { randomInt, SeededRandom } from "../../../src/base/index.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";
import { createPod, findPod, inDefault, nodeOfPod, whyPending } from "./scheduling.fixture.ts";

async function createGroup(cluster: Cluster, name: string, minCount?: number): Promise<void> {
  const schedulingPolicy = minCount === undefined ? { basic: {} } : { gang: { minCount } };
  await cluster.client.create(resources.podgroups, { metadata: { name, ...inDefault }, spec: { schedulingPolicy } }, inDefault);
}

async function createMembers(cluster: Cluster, group: string, names: readonly string[], cpu: string): Promise<void> {
  for (const name of names) await createPod(cluster, name, { cpu, spec: { schedulingGroup: { podGroupName: group } } });
}

async function placed(cluster: Cluster, names: readonly string[]): Promise<string[]> {
  const nodes = await Promise.all(names.map(async (name) => [name, await nodeOfPod(cluster, name)] as const));
  return nodes.flatMap(([name, node]) => (node === undefined ? [] : [name]));
}

async function scheduled(cluster: Cluster, group: string): Promise<string> {
  const { status } = await cluster.client.get(resources.podgroups, group, inDefault);
  const condition = status?.conditions?.find(({ type }) => type === "PodGroupScheduled");
  return `${condition?.status} ${condition?.reason}`;
}

describe("a gang of pods", () => {
  const names = ["a", "b", "c"];

  it("waits for its group and for minCount pods", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await createMembers(cluster, "gang", ["a", "b"], "100m");
    await cluster.clock.advance(10_000);
    assert.deepEqual(await placed(cluster, names), []);
    await createGroup(cluster, "gang", 3);
    await cluster.clock.advance(10_000);
    assert.deepEqual(await placed(cluster, names), []);
    await createMembers(cluster, "gang", ["c"], "100m");
    await cluster.clock.advance(2000);
    assert.deepEqual(await placed(cluster, names), names);
    assert.equal(await scheduled(cluster, "gang"), "True Scheduled");
    await createMembers(cluster, "gang", ["d"], "100m");
    await cluster.clock.advance(2000);
    assert.deepEqual(await placed(cluster, ["d"]), ["d"]);
  });

  it("goes to nodes at once, or leaves the room to others until there is enough for all", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await createPod(cluster, "big", { cpu: "2" });
    await cluster.clock.advance(2000);
    await createGroup(cluster, "gang", 3);
    await createMembers(cluster, "gang", names, "1");
    await cluster.clock.advance(10_000);
    assert.deepEqual(await placed(cluster, names), []);
    assert.equal(await scheduled(cluster, "gang"), "False Unschedulable");
    const reasons = await Promise.all(names.map((name) => whyPending(cluster, name)));
    assert.ok(
      reasons.some((reason) => /Insufficient cpu/.test(reason ?? "")),
      reasons.join("\n"),
    );
    assert.ok(
      reasons.some((reason) => /minCount \(3\) cannot be satisfied: \d scheduled, 0 remaining/.test(reason ?? "")),
      reasons.join("\n"),
    );
    await createPod(cluster, "small", { cpu: "1" });
    await cluster.clock.advance(2000);
    assert.deepEqual(await placed(cluster, ["small"]), ["small"]);
    for (const name of ["big", "small"]) await cluster.client.delete(resources.pods, name, inDefault);
    await cluster.clock.advance(30_000);
    assert.deepEqual(await placed(cluster, names), names);
    assert.equal(await scheduled(cluster, "gang"), "True Scheduled");
  });

  it("is no gang when its policy is basic", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await createGroup(cluster, "loose");
    await createMembers(cluster, "loose", ["a"], "100m");
    await cluster.clock.advance(2000);
    assert.deepEqual(await placed(cluster, ["a"]), ["a"]);
  });

  it("never runs with fewer than it needs, whatever comes and goes", async () => {
    for (const seed of [1, 2, 3]) {
      await using cluster = await createCluster({ nodes: 2 });
      const random = new SeededRandom(seed);
      const gangs = Array.from({ length: 5 }, (_, index) => ({ name: `gang-${index}`, size: 2 + randomInt(random, 3) }));
      const members = gangs.map(({ name, size }) => Array.from({ length: size }, (_, i) => `${name}-${i}`));
      for (const [index, { name, size }] of gangs.entries()) {
        await createGroup(cluster, name, size);
        await createMembers(cluster, name, members[index] ?? [], `${500 + 500 * randomInt(random, 4)}m`);
        await cluster.clock.advance(randomInt(random, 3) * 1000);
      }
      for (let round = 0; round < gangs.length; round++) {
        await cluster.clock.advance(30_000);
        const running = await Promise.all(members.map((some) => placed(cluster, some)));
        for (const [index, some] of running.entries())
          assert.ok([0, members[index]?.length].includes(some.length), JSON.stringify(running));
        const done = running.find((some) => some.length > 0);
        assert.ok(done !== undefined || round > 0, "nothing runs");
        for (const name of done ?? []) await cluster.client.delete(resources.pods, name, inDefault);
        if (done !== undefined) members.splice(running.indexOf(done), 1);
      }
      await cluster.clock.advance(60_000);
      assert.deepEqual(
        await Promise.all(members.flat().map((name) => findPod(cluster, name).then((pod) => pod?.spec?.nodeName !== undefined))),
        members.flat().map(() => true),
      );
    }
  });
});
