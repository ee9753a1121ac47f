// Migration of custom resources to another storage version.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { CrdCluster, cronTabs, definition, version } from "./crd-cluster.ts";

const COUNT = 120;

async function migrate(cluster: CrdCluster, name: string, resource = "crontabs") {
  await cluster.create(resources.storageversionmigrations, {
    metadata: { name },
    spec: { resource: { group: "stable.example.com", resource } },
  });
  await cluster.clock.advance(1_000);
  return async () => (await cluster.client.get(resources.storageversionmigrations, name)).status?.conditions?.map(({ type }) => type);
}

async function storedVersions(cluster: CrdCluster): Promise<readonly string[]> {
  const { entries } = await cluster.store.range("/registry/stable.example.com/crontabs/");
  return [...new Set(entries.map(({ value }) => (JSON.parse(Buffer.from(value).toString()) as { apiVersion: string }).apiVersion))];
}

describe("a storage version migration", () => {
  it("writes every object anew, in the version in which it is stored today, and the definition tells so", async () => {
    await using cluster = await CrdCluster.begin();
    await cluster.define(definition({ versions: [version("v1"), version("v2", { storage: false })] }));
    for (let i = 0; i < COUNT; i++) {
      await cluster.client.create(cronTabs, cluster.tab({}, { metadata: { name: `tab-${i}` } }), { namespace: "default" });
    }
    await cluster.redefine((spec) => {
      for (const each of spec.versions) each.storage = each.name === "v2";
    });
    assert.deepEqual(await storedVersions(cluster), ["stable.example.com/v1"]);
    const conditions = await migrate(cluster, "to-v2");
    assert.deepEqual(await conditions(), ["Succeeded"]);
    assert.deepEqual(await storedVersions(cluster), ["stable.example.com/v2"]);
    assert.equal((await cluster.client.list(cronTabs)).items.length, COUNT);
    const { status } = await cluster.client.get(resources.customresourcedefinitions, "crontabs.stable.example.com");
    assert.deepEqual(status?.storedVersions, ["v2"]);
    assert.equal(status?.conditions?.find(({ type }) => type === "StorageMigrating")?.reason, "MigrationSucceeded");
    // Now the old version may go.
    await cluster.redefine((spec) => {
      spec.versions = spec.versions.filter(({ name }) => name === "v2");
    });
  });

  it("writes nothing that is stored as it should be", async () => {
    await using cluster = await CrdCluster.begin();
    await cluster.define();
    const before = await cluster.client.create(cronTabs, cluster.tab({}), { namespace: "default" });
    assert.deepEqual(await (await migrate(cluster, "again"))(), ["Succeeded"]);
    const after = await cluster.client.get(cronTabs, "my-tab", { namespace: "default" });
    assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
  });

  it("reaches objects that are stored in a version which is not served; they go with their namespace, too", async () => {
    await using cluster = await CrdCluster.begin();
    await cluster.define(definition({ versions: [version("v1", { storage: false }), version("v2", { served: false })] }));
    await cluster.createNamespace("short");
    await cluster.client.create(cronTabs, cluster.tab({}, { metadata: { name: "tab" } }), { namespace: "short" });
    assert.deepEqual(await (await migrate(cluster, "unserved"))(), ["Succeeded"]);
    await cluster.client.delete(resources.namespaces, "short");
    await cluster.clock.advance(10_000);
    assert.deepEqual((await cluster.client.list(cronTabs)).items, []);
  });

  it("waits a minute for a resource that is unknown, then fails", async () => {
    await using cluster = await CrdCluster.begin();
    const conditions = await migrate(cluster, "unknown", "nothings");
    assert.equal(await conditions(), undefined);
    await cluster.clock.advance(60_000);
    assert.deepEqual(await conditions(), ["Failed"]);
  });
});
