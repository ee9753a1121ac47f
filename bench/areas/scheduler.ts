// How fast pods find their nodes: simulated nodes and pods, both made through the API, the bindings seen on a watch.
import { call, check, makeNamespace, openAll, podsPath, removeNamespace, VoidError } from "../api.ts";
import type { Bench } from "../bench.ts";
import { Connection } from "../connection.ts";
import { closedLoop, type Round, type Row, timeRound } from "../measure.ts";
import { schedulablePod, simulatedNode } from "../objects.ts";
import { textAfter, watchLines, within } from "../watching.ts";

const NODES = 1_000;
const PODS = 5_000;
const CONNECTIONS = 16;
const LIMIT_SECONDS = 120;

export async function schedulerArea(bench: Bench): Promise<Row[]> {
  const connections = await openAll(bench.target, CONNECTIONS);
  const node = (index: number) => `bench-${bench.run}-${index}`;
  const post = (path: string, object: object) => ({ method: "POST", path, body: JSON.stringify(object) });
  const each = (count: number, work: (connection: Connection, index: number) => Promise<void>) =>
    closedLoop({ connections, operation: (connection, index) => (index >= count ? undefined : work(connection, index)) });
  try {
    await each(NODES, async (connection, index) => {
      await call(connection, post("/api/v1/nodes", simulatedNode(node(index), index)), 201);
    });
    const rounds: Round[] = [];
    while (rounds.length < bench.rounds) rounds.push(await scheduleOnce(bench, connections, `bench-${bench.run}-${rounds.length}`));
    return [{ name: `schedule ${PODS} pods on ${NODES} nodes`, rounds }];
  } finally {
    await each(NODES, async (connection, index) => {
      const request = { method: "DELETE", path: `/api/v1/nodes/${node(index)}` };
      check(await connection.send(request), request, 200, 404);
    });
    for (const connection of connections) connection.close();
  }
}

async function scheduleOnce(bench: Bench, connections: readonly Connection[], namespace: string): Promise<Round> {
  const { target, serverPid } = bench;
  const watcher = await Connection.open(target);
  const control = await Connection.open(target);
  try {
    await makeNamespace(control, namespace);
    const bound = new Map<string, number>();
    const all = Promise.withResolvers<void>();
    await watchLines(watcher, podsPath(namespace), (line) => {
      if (!line.includes('"nodeName":"')) return;
      const name = textAfter(line, '"name":"');
      if (name === undefined || bound.has(name)) return;
      bound.set(name, performance.now());
      if (bound.size === PODS) all.resolve();
    });
    const work = async () => {
      const createdAt = await createPods(connections, namespace);
      await within(LIMIT_SECONDS, `binding ${PODS} pods`, all.promise);
      const latenciesMs = Array.from(bound, ([name, at]) => at - (createdAt.get(name) ?? at));
      return { operations: bound.size, latenciesMs };
    };
    return await timeRound({ serverPid, work });
  } catch (error) {
    throw error instanceof Error ? new VoidError(error.message) : error;
  } finally {
    await removeNamespace(control, namespace);
    watcher.close();
    control.close();
  }
}

/** When the creation of each pod was sent. */
async function createPods(connections: readonly Connection[], namespace: string): Promise<Map<string, number>> {
  const createdAt = new Map<string, number>();
  const path = podsPath(namespace);
  const create = async (connection: Connection, index: number) => {
    const name = `pod-${index}`;
    createdAt.set(name, performance.now());
    const request = { method: "POST", path, body: JSON.stringify(schedulablePod(name)) };
    check(await connection.send(request), request, 201);
  };
  await closedLoop({ connections, operation: (connection, index) => (index >= PODS ? undefined : create(connection, index)) });
  return createdAt;
}
