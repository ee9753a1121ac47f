// A long list: 10 000 pods, one after the other and ten at once; how far memory grows meanwhile.
import { check, createPods, makeNamespace, openAll, podsPath, removeNamespace, VoidError } from "../api.ts";
import type { Bench } from "../bench.ts";
import type { Connection } from "../connection.ts";
import { type Round, type Row, timeRound } from "../measure.ts";
import { peakRssDuring } from "../usage.ts";

const PODS = 10_000;
const AT_ONCE = 10;

export async function listArea(bench: Bench): Promise<Row[]> {
  const connections = await openAll(bench.target, AT_ONCE);
  const [control] = connections as [Connection];
  const namespace = `bench-${bench.run}-list`;
  try {
    await makeNamespace(control, namespace);
    await createPods(connections, namespace, PODS);
    const one: Round[] = [];
    const many: Round[] = [];
    while (one.length < bench.rounds) one.push(await listRound(bench, namespace, [control]));
    while (many.length < bench.rounds) many.push(await listRound(bench, namespace, connections));
    return [
      { name: `list ${PODS} pods`, rounds: one },
      { name: `the same, ${AT_ONCE} at once; RSS at its highest`, rounds: many },
    ];
  } finally {
    await removeNamespace(control, namespace);
    for (const connection of connections) connection.close();
  }
}

/** One list for every connection. The memory afterwards is the most that there was meanwhile. */
async function listRound({ serverPid }: Bench, namespace: string, connections: readonly Connection[]): Promise<Round> {
  const lists = () =>
    timeRound({
      serverPid,
      work: async () => ({
        operations: connections.length,
        latenciesMs: await Promise.all(connections.map((each) => listOnce(each, namespace))),
      }),
    });
  if (serverPid === undefined) return lists();
  const { promise, resolve } = Promise.withResolvers<Round>();
  const rssBytes = await peakRssDuring(serverPid, async () => resolve(await lists()));
  const round = await promise;
  return { ...round, after: round.after && { ...round.after, rssBytes } };
}

async function listOnce(connection: Connection, namespace: string): Promise<number> {
  const startedAt = performance.now();
  const request = { method: "GET", path: podsPath(namespace) };
  const answer = await connection.send(request);
  const tookMs = performance.now() - startedAt;
  check(answer, request, 200);
  if (answer.body.length < PODS * 1000) throw new VoidError(`a list of ${PODS} pods had ${answer.body.length} bytes`);
  return tookMs;
}
