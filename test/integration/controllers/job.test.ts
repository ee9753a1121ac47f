// Jobs on simulated nodes, whose containers end as annotations of their pods say.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { JobSpec } from "../../../src/api/types/batch/v1.ts";
import type { PodSpec } from "../../../src/api/types/core/v1.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";

const inDefault = { namespace: "default" };
const merge = { ...inDefault, type: "application/merge-patch+json" } as const;

interface Behaviour {
  /** Undefined: until it is stopped. */
  readonly runSeconds?: number;
  readonly exitCode?: number;
}

type Parts = Partial<Omit<JobSpec, "template">> & { readonly pod?: Partial<PodSpec> };

async function create(cluster: Cluster, { runSeconds, exitCode = 0 }: Behaviour, { pod, ...spec }: Parts = {}, name = "work") {
  const annotations = {
    ...(runSeconds === undefined ? {} : { "sim.k8ts.dev/run-for-seconds": String(runSeconds) }),
    "sim.k8ts.dev/exit-code": String(exitCode),
  };
  const template = { metadata: { annotations }, spec: { restartPolicy: "Never", containers: [{ name: "main", image: "work" }], ...pod } };
  return cluster.client.create(resources.jobs, { metadata: { name }, spec: { template, ...spec } }, inDefault);
}

const status = async (cluster: Cluster, name = "work") => (await cluster.client.get(resources.jobs, name, inDefault)).status ?? {};

async function pods(cluster: Cluster) {
  return (await cluster.client.list(resources.pods, inDefault)).items;
}

const conditions = async (cluster: Cluster) =>
  ((await status(cluster)).conditions ?? []).map(({ type, reason }) => `${type} ${reason ?? ""}`.trim());

const indexOf = (pod: Awaited<ReturnType<typeof pods>>[number]) => pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"];

async function events(cluster: Cluster, reason: string) {
  const { items } = await cluster.client.list(resources.events, inDefault);
  return items.filter((event) => event.reason === reason).map(({ message }) => message);
}

describe("Job", () => {
  it("should run a job to completion, count its pods once and let go of them", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await create(cluster, { runSeconds: 5 }, { completions: 4, parallelism: 2 });
    await cluster.clock.advance(2000);
    const during = await status(cluster);
    assert.deepEqual([during.active, during.succeeded, during.ready, during.terminating], [2, undefined, 2, 0]);
    await cluster.clock.advance(60_000);
    const { startTime, completionTime, conditions: _, ...after } = await status(cluster);
    assert.deepEqual(after, { succeeded: 4, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    assert.ok(Date.parse(completionTime ?? "") > Date.parse(startTime ?? ""));
    assert.deepEqual(await conditions(cluster), ["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]);
    assert.ok((await pods(cluster)).every(({ metadata }) => metadata.finalizers === undefined));
    assert.deepEqual(await events(cluster, "Completed"), ["Job completed"]);
  });

  it("should run a work queue until one pod succeeds and all have ended", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { runSeconds: 5 }, { parallelism: 3 });
    await cluster.clock.advance(30_000);
    assert.deepEqual([(await status(cluster)).succeeded, (await pods(cluster)).length], [3, 3]);
    assert.ok((await conditions(cluster)).includes("Complete CompletionsReached"));
  });

  it("should run a job to completion when tasks sometimes fail and are locally restarted", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { runSeconds: 3, exitCode: 1 }, { backoffLimit: 2, pod: { restartPolicy: "OnFailure" } });
    await cluster.clock.advance(8000);
    assert.equal((await pods(cluster)).length, 1, "the container is restarted in its pod");
    await cluster.clock.advance(120_000);
    assert.ok((await conditions(cluster)).includes("Failed BackoffLimitExceeded"));
  });

  it("should fail to exceed backoffLimit, after waits of 10 s that double", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { runSeconds: 0, exitCode: 1 }, { backoffLimit: 3 });
    await cluster.clock.advance(300_000);
    const created = (await pods(cluster)).map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? "") / 1000).sort((a, b) => a - b);
    const gaps = created.slice(1).map((at, i) => at - (created[i] ?? 0));
    assert.equal(gaps.length, 3);
    for (const [i, wanted] of [10, 20, 40].entries()) assert.ok(Math.abs((gaps[i] ?? 0) - wanted) <= 2, `gap ${i}: ${gaps[i]}`);
    assert.deepEqual(await conditions(cluster), ["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    assert.equal((await status(cluster)).failed, 4);
    assert.deepEqual(await events(cluster, "BackoffLimitExceeded"), ["Job has reached the specified backoff limit"]);
  });

  it("should fail when the active deadline has passed", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, {}, { activeDeadlineSeconds: 10, parallelism: 2, completions: 2 });
    await cluster.clock.advance(60_000);
    assert.ok((await conditions(cluster)).includes("Failed DeadlineExceeded"));
    assert.deepEqual([(await status(cluster)).failed, await pods(cluster)], [2, []]);
  });

  it("should create pods for an Indexed job with completion indexes and specified hostname", async () => {
    await using cluster = await createCluster({ nodes: 2 });
    await create(cluster, { runSeconds: 3 }, { completions: 4, parallelism: 2, completionMode: "Indexed" });
    await cluster.clock.advance(60_000);
    const all = await pods(cluster);
    assert.deepEqual(all.map(indexOf).sort(), ["0", "1", "2", "3"]);
    assert.deepEqual(all.map(({ spec }) => spec?.hostname).sort(), ["work-0", "work-1", "work-2", "work-3"]);
    assert.ok(all.every(({ metadata }) => metadata.name?.startsWith("work-") && metadata.labels?.["job-name"] === "work"));
    assert.ok(all.every(({ spec }) => spec?.containers[0]?.env?.some(({ name }) => name === "JOB_COMPLETION_INDEX")));
    assert.deepEqual([(await status(cluster)).completedIndexes, (await status(cluster)).succeeded], ["0-3", 4]);
  });

  it("should allow to use the pod failure policy on exit code to fail the job early", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    const podFailurePolicy = { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [3] } }] };
    await create(cluster, { runSeconds: 1, exitCode: 3 }, { podFailurePolicy });
    await cluster.clock.advance(60_000);
    const { conditions: found = [], failed } = await status(cluster);
    assert.deepEqual(
      found.map(({ type, reason }) => `${type} ${reason}`),
      ["FailureTarget PodFailurePolicy", "Failed PodFailurePolicy"],
    );
    assert.match(
      found[1]?.message ?? "",
      /^Container main for pod default\/work-\w+ failed with exit code 3 matching FailJob rule at index 0$/,
    );
    assert.equal(failed, 1);
  });

  it("should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    const podFailurePolicy = { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }] };
    await create(cluster, { runSeconds: 60 }, { podFailurePolicy, backoffLimit: 0 });
    await cluster.clock.advance(5000);
    const [first] = await pods(cluster);
    const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: first?.metadata.name } };
    const conditionsOfPod = [...(first?.status?.conditions ?? []), { type: "DisruptionTarget", status: "True" }];
    assert.ok(first !== undefined);
    const marked = { ...first, status: { ...first.status, conditions: conditionsOfPod } };
    await cluster.client.update(resources.pods, marked, { ...inDefault, subresource: "status" });
    await cluster.client.createSubresource(resources.pods, first.metadata.name ?? "", "eviction", body, inDefault);
    await cluster.clock.advance(180_000);
    assert.deepEqual([(await status(cluster)).succeeded, (await status(cluster)).failed], [1, undefined]);
    assert.ok((await conditions(cluster)).includes("Complete CompletionsReached"));
  });

  it("should execute all indexes despite some failing when using backoffLimitPerIndex", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(
      cluster,
      { runSeconds: 1, exitCode: 1 },
      { completions: 2, parallelism: 2, completionMode: "Indexed", backoffLimitPerIndex: 1 },
    );
    await cluster.clock.advance(5000);
    // One of the first two pods is made to succeed.
    await cluster.clock.advance(120_000);
    const after = await status(cluster);
    assert.deepEqual([after.failedIndexes, after.failed, after.completedIndexes], ["0,1", 4, undefined]);
    assert.deepEqual(await conditions(cluster), ["FailureTarget FailedIndexes", "Failed FailedIndexes"]);
    const counts = (await pods(cluster)).map(
      (pod) => `${indexOf(pod)} ${pod.metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"]}`,
    );
    assert.deepEqual(counts.sort(), ["0 0", "0 1", "1 0", "1 1"]);
  });

  it("should terminate job execution when the number of failed indexes exceeds maxFailedIndexes", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    const perIndex = { completionMode: "Indexed", backoffLimitPerIndex: 0, maxFailedIndexes: 1 };
    await create(cluster, { runSeconds: 1, exitCode: 1 }, { completions: 6, parallelism: 1, ...perIndex });
    await cluster.clock.advance(120_000);
    assert.ok((await conditions(cluster)).includes("Failed MaxFailedIndexesExceeded"));
    assert.equal((await status(cluster)).failedIndexes, "0,1");
  });

  it("should mark indexes as failed when the FailIndex action is matched in podFailurePolicy", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    const podFailurePolicy = { rules: [{ action: "FailIndex", onExitCodes: { operator: "In", values: [7] } }] };
    await create(
      cluster,
      { runSeconds: 1, exitCode: 7 },
      { completions: 2, parallelism: 2, completionMode: "Indexed", backoffLimitPerIndex: 3, podFailurePolicy },
    );
    await cluster.clock.advance(60_000);
    assert.deepEqual([(await status(cluster)).failedIndexes, (await pods(cluster)).length], ["0,1", 2]);
  });

  for (const [title, rule, parallelism] of [
    ["with successPolicy when all indexes succeeded", { succeededIndexes: "0-1" }, 2],
    ["with successPolicy succeededIndexes rule, even when some indexes remain pending", { succeededIndexes: "0" }, 1],
    ["with successPolicy succeededCount rule, even when some indexes remain pending", { succeededCount: 1 }, 1],
  ] as const) {
    it(`should succeed ${title}`, async () => {
      await using cluster = await createCluster({ nodes: 1 });
      const successPolicy = { rules: [rule] };
      await create(cluster, { runSeconds: 5 }, { completions: 2, parallelism, completionMode: "Indexed", successPolicy });
      await cluster.clock.advance(60_000);
      assert.deepEqual(await conditions(cluster), ["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"]);
      const after = await status(cluster);
      assert.deepEqual([after.failed, after.succeeded, after.active, after.terminating], [undefined, parallelism, undefined, 0]);
    });
  }

  it("should not create pods when created in suspend state, and delete them when suspended", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, { runSeconds: 60 }, { suspend: true });
    await cluster.clock.advance(5000);
    assert.deepEqual([await pods(cluster), await conditions(cluster)], [[], ["Suspended JobSuspended"]]);
    assert.equal((await status(cluster)).startTime, undefined);
    await cluster.client.patch(resources.jobs, "work", { spec: { suspend: false } }, merge);
    await cluster.clock.advance(5000);
    assert.equal((await pods(cluster)).length, 1);
    assert.equal((await status(cluster)).conditions?.[0]?.status, "False");
    await cluster.client.patch(resources.jobs, "work", { spec: { suspend: true } }, merge);
    await cluster.clock.advance(60_000);
    assert.deepEqual([await pods(cluster), (await status(cluster)).active, (await status(cluster)).failed], [[], undefined, undefined]);
    assert.deepEqual(await events(cluster, "Suspended"), ["Job suspended"]);
  });

  it("should adopt matching orphans and release non-matching pods", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, {}, { parallelism: 1, completions: 1 });
    await cluster.clock.advance(5000);
    const [pod] = await pods(cluster);
    const { name = "", labels, uid } = pod?.metadata ?? {};
    await cluster.client.patch(resources.pods, name, { metadata: { ownerReferences: null } }, merge);
    await cluster.clock.advance(5000);
    const adopted = await cluster.client.get(resources.pods, name, inDefault);
    assert.deepEqual([adopted.metadata.uid, adopted.metadata.ownerReferences?.[0]?.kind], [uid, "Job"]);
    assert.ok(adopted.metadata.finalizers?.includes("batch.kubernetes.io/job-tracking"));
    const gone = Object.fromEntries(Object.keys(labels ?? {}).map((key) => [key, null]));
    await cluster.client.patch(resources.pods, name, { metadata: { labels: gone } }, merge);
    await cluster.clock.advance(5000);
    const released = await cluster.client.get(resources.pods, name, inDefault);
    assert.deepEqual([released.metadata.ownerReferences, released.metadata.finalizers], [undefined, undefined]);
    assert.equal((await pods(cluster)).length, 2);
  });

  it("should delete a job and its pods, and let pods go when they are orphaned", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, {}, { parallelism: 2, completions: 2 });
    await create(cluster, {}, {}, "other");
    await cluster.clock.advance(5000);
    await cluster.client.delete(resources.jobs, "work", { ...inDefault, options: { propagationPolicy: "Foreground" } });
    await cluster.clock.advance(60_000);
    assert.equal((await pods(cluster)).length, 1);
    assert.equal((await cluster.client.list(resources.jobs, inDefault)).items.length, 1);
    await cluster.client.delete(resources.jobs, "other", { ...inDefault, options: { propagationPolicy: "Orphan" } });
    await cluster.clock.advance(60_000);
    const [left] = await pods(cluster);
    assert.deepEqual([left?.metadata.finalizers, left?.metadata.ownerReferences], [undefined, undefined]);
  });

  it("replaces a pod only when it has ended, by podReplacementPolicy Failed", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, {}, { podReplacementPolicy: "Failed", pod: { terminationGracePeriodSeconds: 30 } });
    await cluster.clock.advance(5000);
    const [pod] = await pods(cluster);
    await cluster.client.patch(
      resources.pods,
      pod?.metadata.name ?? "",
      { metadata: { finalizers: ["example.com/hold", ...(pod?.metadata.finalizers ?? [])] } },
      merge,
    );
    await cluster.client.delete(resources.pods, pod?.metadata.name ?? "", inDefault);
    await cluster.clock.advance(120_000);
    assert.equal((await status(cluster)).failed, 1);
    assert.equal((await pods(cluster)).length, 2);
  });

  it("leaves jobs alone that another controller manages, and rests when all is done", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, {}, { managedBy: "example.com/other" });
    await cluster.clock.advance(30_000);
    assert.deepEqual([await pods(cluster), await status(cluster)], [[], {}]);
  });

  it("scales the number of active pods with its parallelism", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, {}, { completions: 5, parallelism: 1 });
    for (const parallelism of [3, 0, 2]) {
      await cluster.client.patch(resources.jobs, "work", { spec: { parallelism } }, merge);
      await cluster.clock.advance(60_000);
      assert.equal((await pods(cluster)).length, parallelism);
      assert.equal((await status(cluster)).active ?? 0, parallelism);
    }
    assert.equal((await status(cluster)).failed, undefined);
  });
});
