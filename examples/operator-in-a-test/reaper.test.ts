// Tests the operator in a whole cluster inside this process. Two virtual hours take about a second.
//   scripts/node --test examples/operator-in-a-test/reaper.test.ts
import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../src/api/index.ts";
import type { Deployment } from "../../src/api/types/apps/v1.ts";
import { silentLogger } from "../../src/base/index.ts";
import { SharedInformers } from "../../src/client/index.ts";
import { type Cluster, createCluster, SeededRandom } from "../../src/testing/index.ts";
import { LIFETIME, runReaper } from "./reaper.ts";

const MINUTE_MS = 60_000;
const inDefault = { namespace: "default" };

function web(annotations: Record<string, string>): Deployment {
  const labels = { app: "web" };
  return {
    metadata: { name: "web", namespace: "default", annotations },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } },
    },
  };
}

/** Starts the operator in the cluster; the answer stops it. */
function startReaper({ client, clock }: Cluster): AsyncDisposable {
  const stop = new AbortController();
  const informers = new SharedInformers({ client, clock, random: new SeededRandom(1), logger: silentLogger });
  const running = runReaper({ client, informers, clock, logger: silentLogger }, stop.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function runningPods({ client }: Cluster): Promise<number> {
  const { items } = await client.list(resources.pods, inDefault);
  return items.filter((pod) => pod.status?.phase === "Running" && pod.metadata.deletionTimestamp === undefined).length;
}

test("a deployment runs for its lifetime, and then no longer", async () => {
  await using cluster = await createCluster({ nodes: 2 });
  await using _ = startReaper(cluster);
  await cluster.client.create(resources.deployments, web({ [LIFETIME]: "3600" }), inDefault);

  await cluster.clock.advance(59 * MINUTE_MS);
  assert.equal(await runningPods(cluster), 2);
  await cluster.clock.advance(2 * MINUTE_MS);
  assert.equal(await runningPods(cluster), 0);
});

test("a deployment without a lifetime stays", async () => {
  await using cluster = await createCluster({ nodes: 2 });
  await using _ = startReaper(cluster);
  await cluster.client.create(resources.deployments, web({}), inDefault);

  await cluster.clock.advance(120 * MINUTE_MS);
  assert.equal(await runningPods(cluster), 2);
});
