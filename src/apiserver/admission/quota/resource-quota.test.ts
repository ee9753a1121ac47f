import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoreFixture } from "../../registry/testing/core-fixture.ts";

const secret = (name: string) => ({ metadata: { name } });

/** A server with a quota whose status the controller has filled in. */
async function withQuota(hard: Record<string, string>, spec: object = {}) {
  const server = await CoreFixture.start();
  await server.create("serviceaccounts", { metadata: { name: "default" } });
  const created = await server.create("resourcequotas", { metadata: { name: "q" }, spec: { hard, ...spec } });
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, "0"]));
  await server.update("resourcequotas", { ...created.object, status: { hard, used } } as never, { subresource: "status" });
  await server.clock.advance(0);
  return server;
}

async function used(server: CoreFixture): Promise<Record<string, string> | undefined> {
  await server.clock.advance(0);
  const { object } = await server.get("resourcequotas", "q");
  return (object as { status?: { used?: Record<string, string> } }).status?.used;
}

describe("ResourceQuota", () => {
  it("never lets more be created than the quota allows, however many come at once", async () => {
    await using server = await withQuota({ secrets: "5", "count/secrets": "9" });
    const names = Array.from({ length: 12 }, (_, i) => `s${i}`);
    const results = await Promise.allSettled(names.map((name) => server.create("secrets", secret(name))));
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 5);
    assert.deepEqual(await used(server), { secrets: "5", "count/secrets": "5" });
    await assert.rejects(server.create("secrets", secret("more")), {
      message: 'secrets "more" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=5, limited: secrets=5',
    });
  });

  it("counts a dry run for nothing", async () => {
    await using server = await withQuota({ secrets: "1" });
    await server.core.create(server.scope("secrets"), secret("a") as never, { dryRun: true });
    assert.deepEqual(await used(server), { secrets: "0" });
  });

  it("counts what an update adds", async () => {
    await using server = await withQuota({ "services.nodeports": "1" });
    const service = {
      metadata: { name: "s" },
      spec: {
        ports: [
          { name: "a", port: 1 },
          { name: "b", port: 2 },
        ],
      },
    };
    const { object } = await server.create("services", service);
    await assert.rejects(
      server.update("services", { ...object, spec: { ...(object as { spec?: object }).spec, type: "NodePort" } } as never),
      {
        message:
          'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
      },
    );
  });

  it("demands that pods say what they need when cpu is limited", async () => {
    await using server = await withQuota({ cpu: "1" });
    const pod = (resources: object) => ({ metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i", resources }] } });
    await assert.rejects(server.create("pods", pod({})), {
      message: 'pods "p" is forbidden: failed quota: q: must specify cpu for: c',
    });
    await server.create("pods", pod({ requests: { cpu: "600m" } }));
    assert.deepEqual(await used(server), { cpu: "600m" });
  });

  it("limits nothing before the controller has taken the quota up", async () => {
    await using server = await CoreFixture.start();
    await server.create("resourcequotas", { metadata: { name: "q" }, spec: { hard: { secrets: "0" } } });
    await server.clock.advance(0);
    await server.create("secrets", secret("a"));
  });
});
