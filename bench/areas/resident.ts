// What objects cost that are merely there: the start of a server with 10 000 pods, the memory of one with 150 000.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SystemClock } from "../../src/cmd/system/clock.ts";
import { LmdbStore } from "../../src/storage/index.ts";
import { type ApiObject, call, createPods, makeNamespace, openAll, podsPath } from "../api.ts";
import type { Bench } from "../bench.ts";
import { type Round, type Row, timeRound } from "../measure.ts";
import type { OwnServer } from "../server.ts";
import { usageOf } from "../usage.ts";

const START_PODS = 10_000;
const MEMORY_PODS = 150_000;
/** Until what was to be done at the start is done. */
const SETTLE_MS = 10_000;
/** Puts that share a transaction. */
const LOT = 1000;

/** From the start of the process until it is ready; CPU and memory as they are then. */
export async function startArea(server: OwnServer, bench: Bench): Promise<Row[]> {
  await fill(server, bench, START_PODS);
  const rounds: Round[] = [];
  while (rounds.length < bench.rounds) rounds.push(await startRound(server));
  return [{ name: `start with ${START_PODS} pods`, rounds }];
}

export async function memoryArea(server: OwnServer, bench: Bench): Promise<Row[]> {
  const empty = await settled(server, await startRound(server));
  await fill(server, bench, MEMORY_PODS);
  const full = await settled(server, await startRound(server));
  return [
    { name: "start without pods, and a while later", rounds: [empty] },
    { name: `start with ${MEMORY_PODS} pods, and a while later`, rounds: [full] },
  ];
}

/** Stops the server and puts pods into its store: copies of one that was created. */
async function fill(server: OwnServer, { target, run }: Bench, count: number): Promise<void> {
  const namespace = `bench-${run}-resident`;
  const connections = await openAll(target, 1);
  for (const connection of connections) {
    await makeNamespace(connection, namespace);
    await createPods(connections, namespace, 1);
    const pod = await call<ApiObject>(connection, { method: "GET", path: `${podsPath(namespace)}/pod-0` }, 200);
    connection.close();
    await server.stop();
    await copy(server.storeFile, `/registry/core/pods/${namespace}`, { pod, count });
  }
}

async function copy(path: string, prefix: string, { pod, count }: { readonly pod: ApiObject; readonly count: number }): Promise<void> {
  const { resourceVersion: _, ...metadata } = pod.metadata;
  const text = JSON.stringify({ ...pod, metadata: { ...metadata, name: "NAME", uid: "UID" } });
  const store = new LmdbStore({ path, clock: new SystemClock() });
  for (let first = 1; first < count; first += LOT) {
    const names = Array.from({ length: Math.min(LOT, count - first) }, (_, index) => `pod-${first + index}`);
    const copyOf = (name: string) => Buffer.from(text.replace("NAME", name).replace("UID", randomUUID()));
    await Promise.all(names.map((name) => store.create(`${prefix}/${name}`, copyOf(name))));
  }
  await store.close();
}

async function startRound(server: OwnServer): Promise<Round> {
  await server.stop();
  const before = { cpuSeconds: 0, rssBytes: 0 };
  const work = async () => {
    await server.startAgain();
    return { operations: 1, latenciesMs: [] };
  };
  return { ...(await timeRound({ serverPid: undefined, work })), before, after: usageOf(server.pid) };
}

async function settled({ pid }: OwnServer, round: Round): Promise<Round> {
  await sleep(SETTLE_MS);
  return { ...round, after: usageOf(pid) };
}
