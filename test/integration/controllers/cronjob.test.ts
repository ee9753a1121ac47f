// CronJobs, and the end of Jobs by their time to live, on simulated nodes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { CronJobSpec } from "../../../src/api/types/batch/v1.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";

const inDefault = { namespace: "default" };
const merge = { ...inDefault, type: "application/merge-patch+json" } as const;
const MINUTE_MS = 60_000;

function template(runSeconds: number | undefined, exitCode = 0) {
  const run = runSeconds === undefined ? {} : { "sim.k8ts.dev/run-for-seconds": String(runSeconds) };
  const annotations = { ...run, "sim.k8ts.dev/exit-code": String(exitCode) };
  return { metadata: { annotations }, spec: { restartPolicy: "Never", containers: [{ name: "main", image: "work" }] } };
}

async function create(cluster: Cluster, runSeconds: number | undefined, spec: Partial<CronJobSpec> = {}) {
  const jobTemplate = { metadata: { labels: { from: "cron" } }, spec: { template: template(runSeconds) } };
  await cluster.client.create(
    resources.cronjobs,
    { metadata: { name: "cron" }, spec: { schedule: "* * * * *", jobTemplate, ...spec } },
    inDefault,
  );
}

const get = (cluster: Cluster) => cluster.client.get(resources.cronjobs, "cron", inDefault);

async function jobs(cluster: Cluster) {
  return (await cluster.client.list(resources.jobs, inDefault)).items;
}

describe("CronJob", () => {
  it("should schedule multiple jobs concurrently", async () => {
    await using cluster = await createCluster();
    await create(cluster, undefined);
    await cluster.clock.advance(2 * MINUTE_MS + 1000);
    const all = await jobs(cluster);
    assert.deepEqual(
      all.map(({ metadata }) => metadata.name),
      [1, 2].map((i) => `cron-${Date.parse("2026-01-01T00:00:00Z") / MINUTE_MS + i}`),
    );
    assert.equal(all[0]?.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"], "2026-01-01T00:01:00Z");
    assert.equal(all[0]?.metadata.labels?.["from"], "cron");
    const { status } = await get(cluster);
    assert.deepEqual([status?.active?.length, status?.lastScheduleTime], [2, "2026-01-01T00:02:00Z"]);
  });

  it("should not schedule new jobs when ForbidConcurrent", async () => {
    await using cluster = await createCluster();
    await create(cluster, undefined, { concurrencyPolicy: "Forbid" });
    await cluster.clock.advance(5 * MINUTE_MS);
    assert.equal((await jobs(cluster)).length, 1);
    assert.equal((await get(cluster)).status?.active?.length, 1);
  });

  it("should replace jobs when ReplaceConcurrent", async () => {
    await using cluster = await createCluster();
    await create(cluster, undefined, { concurrencyPolicy: "Replace" });
    await cluster.clock.advance(3 * MINUTE_MS + 40_000);
    const all = await jobs(cluster);
    assert.deepEqual(
      all.map(({ metadata }) => metadata.name),
      [`cron-${Date.parse("2026-01-01T00:03:00Z") / MINUTE_MS}`],
    );
  });

  it("should not schedule jobs when suspended", async () => {
    await using cluster = await createCluster();
    await create(cluster, 1, { suspend: true });
    await cluster.clock.advance(5 * MINUTE_MS);
    assert.deepEqual(await jobs(cluster), []);
    await cluster.client.patch(resources.cronjobs, "cron", { spec: { suspend: false } }, merge);
    await cluster.clock.advance(MINUTE_MS);
    assert.equal((await jobs(cluster)).length, 2, "the last one that was missed, and the next");
  });

  it("should delete successful and failed finished jobs beyond the history limits", async () => {
    await using cluster = await createCluster();
    await create(cluster, 1, { successfulJobsHistoryLimit: 2 });
    await cluster.clock.advance(10 * MINUTE_MS + 30_000);
    const { status } = await get(cluster);
    assert.equal((await jobs(cluster)).length, 2);
    assert.deepEqual([status?.active, status?.lastSuccessfulTime?.slice(0, 17)], [undefined, "2026-01-01T00:10:"]);
    assert.equal((await cluster.client.list(resources.pods, inDefault)).items.length, 2);
  });

  it("should remove from the active list jobs that have been deleted, and survive a day", async () => {
    await using cluster = await createCluster();
    await create(cluster, undefined, { concurrencyPolicy: "Forbid", schedule: "@hourly" });
    await cluster.clock.advance(61 * MINUTE_MS);
    const [job] = await jobs(cluster);
    await cluster.client.delete(resources.jobs, job?.metadata.name ?? "", { ...inDefault, options: { propagationPolicy: "Background" } });
    await cluster.clock.advance(MINUTE_MS);
    assert.equal((await get(cluster)).status?.active, undefined);
    await cluster.clock.advance(60 * MINUTE_MS);
    assert.equal((await jobs(cluster)).length, 1);
  });
});

describe("a finished job", () => {
  it("is deleted with its pods when its time to live is over", async () => {
    await using cluster = await createCluster();
    const job = { metadata: { name: "short" }, spec: { ttlSecondsAfterFinished: 30, template: template(1) } };
    await cluster.client.create(resources.jobs, job, inDefault);
    await cluster.clock.advance(20_000);
    assert.equal((await jobs(cluster)).length, 1);
    await cluster.clock.advance(20_000);
    assert.deepEqual([await jobs(cluster), (await cluster.client.list(resources.pods, inDefault)).items], [[], []]);
  });

  it("stays longer when its time to live is raised", async () => {
    await using cluster = await createCluster();
    const job = { metadata: { name: "short" }, spec: { ttlSecondsAfterFinished: 30, template: template(1) } };
    await cluster.client.create(resources.jobs, job, inDefault);
    await cluster.clock.advance(20_000);
    await cluster.client.patch(resources.jobs, "short", { spec: { ttlSecondsAfterFinished: 300 } }, merge);
    await cluster.clock.advance(100_000);
    assert.equal((await jobs(cluster)).length, 1);
    await cluster.clock.advance(300_000);
    assert.deepEqual(await jobs(cluster), []);
  });
});
