// What objects cost that are merely there: the memory of a server with 150 000 pods, and the start of one with 10 000.
import { setTimeout as sleep } from "node:timers/promises";
import { createPods, makeNamespace, openAll } from "../api.ts";
import type { Bench } from "../bench.ts";
import { type Round, type Row, timeRound } from "../measure.ts";
import type { OwnServer } from "../server.ts";
import { usageOf } from "../usage.ts";

const START_PODS = 10_000;
const MEMORY_PODS = 150_000;
const CONNECTIONS = 32;
/** Until the garbage of creating and starting is collected. */
const SETTLE_MS = 10_000;

/** From the start of the process until it is ready; CPU and memory as they are then. */
export async function startArea(server: OwnServer, bench: Bench): Promise<Row[]> {
  await fill(bench, START_PODS);
  const rounds: Round[] = [];
  while (rounds.length < bench.rounds) rounds.push(await startRound(server));
  return [{ name: `start with ${START_PODS} pods`, rounds }];
}

export async function memoryArea(server: OwnServer, bench: Bench): Promise<Row[]> {
  const work = async () => {
    await fill(bench, MEMORY_PODS);
    return { operations: MEMORY_PODS, latenciesMs: [] };
  };
  const filled = await timeRound({ serverPid: server.pid, work });
  const settled = await settle(server, filled);
  const started = await settle(server, await startRound(server));
  return [
    { name: `create ${MEMORY_PODS} pods, and a while later`, rounds: [settled] },
    { name: "start with them, and a while later", rounds: [started] },
  ];
}

async function fill({ target, run }: Bench, count: number): Promise<void> {
  const connections = await openAll(target, CONNECTIONS);
  const [control] = connections;
  const namespace = `bench-${run}-resident`;
  if (control !== undefined) await makeNamespace(control, namespace);
  await createPods(connections, namespace, count);
  for (const connection of connections) connection.close();
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

async function settle({ pid }: OwnServer, round: Round): Promise<Round> {
  await sleep(SETTLE_MS);
  return { ...round, after: usageOf(pid) };
}
