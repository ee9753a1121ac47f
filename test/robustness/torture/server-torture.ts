// Kills a whole server, or the etcd that keeps its objects, while clients write and watch through it; starts it again, and judges
// what is left and what the clients were told.
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiList, call } from "../../../bench/api.ts";
import { Connection } from "../../../bench/connection.ts";
import { OwnServer } from "../../../bench/server.ts";
import type { Target } from "../../../bench/target.ts";
import { randomInt, SeededRandom } from "../../../src/base/index.ts";
import { EtcdCluster } from "../../../src/storage/etcd/etcd.fixture.ts";
import { ApiWatcher } from "./api-watcher.ts";
import { writeMaps } from "./api-writer.ts";
import { brokenPromises, type Happening } from "./happening.ts";
import { LABEL, MAPS, readMap } from "./numbered-map.ts";
import { WatchedMaps } from "./watched-maps.ts";

const ROUNDS = 2;
const CLIENTS = 4;
const MAX_HAPPENINGS = 400;
const WITHIN_MS = 60_000;

/** What went wrong with a seed; nothing, one hopes. */
export async function tortureServer(seed: number, backend: "lmdb" | "etcd"): Promise<string[]> {
  await using etcd = backend === "etcd" ? await EtcdCluster.start() : undefined;
  await using server = await OwnServer.start(etcd === undefined ? {} : { etcdUrl: `etcd://${etcd.endpoints.join()}` });
  const { target } = server;
  const random = new SeededRandom(seed);
  const before = (await listed(target)).revision;
  const happenings: Happening[] = [];
  const watched = new WatchedMaps();
  const [writing, watching] = [new AbortController(), new AbortController()];
  const watcher = new ApiWatcher(target, watched).run(watching.signal);
  const shared = { target, tell: (happening: Happening) => happenings.push(happening), known: new Map<string, number>() };
  const writers = Array.from({ length: CLIENTS }, (_, id) =>
    writeMaps({ ...shared, name: `${seed}-${id}`, random: new SeededRandom(seed * CLIENTS + id) }, writing.signal),
  );
  for (let round = 0; round < ROUNDS; round++) {
    await grown(happenings, 1 + randomInt(random, MAX_HAPPENINGS));
    await killAndRestart(server, etcd, random.next() < 0.5);
  }
  await grown(happenings, MAX_HAPPENINGS / 4);
  writing.abort();
  await Promise.all(writers);
  const { revision, maps } = await listed(target);
  const hasCaughtUp = await eventually(() => watched.agreesWith(maps));
  watching.abort();
  await watcher;
  const entries = maps.map((map) => {
    return { key: map.name, value: Buffer.from(map.value ?? "half of it"), createRevision: 0, modRevision: map.revision };
  });
  const lag = hasCaughtUp ? [] : ["the watcher does not see what is there"];
  return [...brokenPromises(happenings, { before, revision, entries }), ...lag, ...watched.problems, ...watched.leftOut(happenings)];
}

async function killAndRestart(server: OwnServer, etcd: EtcdCluster | undefined, sparesServer: boolean): Promise<void> {
  if (etcd !== undefined) {
    await etcd.killMember(0);
    if (!sparesServer) await server.stop("SIGKILL");
    etcd.startMember(0);
    await etcd.healthy();
    if (sparesServer) return;
  } else await server.stop("SIGKILL");
  await server.startAgain();
}

async function listed(target: Target) {
  const connection = await Connection.open(target);
  const { metadata, items } = await call<ApiList>(connection, { method: "GET", path: `${MAPS}?labelSelector=${LABEL}` }, 200);
  connection.close();
  return { revision: Number(metadata.resourceVersion), maps: items.map(readMap) };
}

/** Waits until so many more things have happened. */
async function grown(happenings: readonly Happening[], count: number): Promise<void> {
  const wanted = happenings.length + count;
  if (!(await eventually(() => happenings.length >= wanted))) throw new Error("the writers make no progress");
}

async function eventually(isSo: () => boolean): Promise<boolean> {
  const endAt = performance.now() + WITHIN_MS;
  while (!isSo()) {
    if (performance.now() > endAt) return false;
    await sleep(1);
  }
  return true;
}
