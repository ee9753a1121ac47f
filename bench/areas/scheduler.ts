// How fast pods find their nodes: nodes and pods are objects made through the API, the bindings are seen on a watch.
// The time begins when the first pod is created and ends when the last is seen on a node; a row below tells how long the creating
// alone took. Where pods are there before, they are held back until a PodGroup that they name is created: then it begins.
import { setTimeout as sleep } from "node:timers/promises";
import { call, check, makeNamespace, openAll, podsPath, removeNamespace, VoidError } from "../api.ts";
import type { Bench } from "../bench.ts";
import { Connection } from "../connection.ts";
import { closedLoop, type Round, type Row, timeRound } from "../measure.ts";
import { schedulablePod, simulatedNode } from "../objects.ts";
import { textAfter, watchLines, within } from "../watching.ts";

const CONNECTIONS = 16;
const LIMIT_SECONDS = 180;
const GONE_SECONDS = 30;
const HIGH = "bench-high";
const GROUP = "bench";

interface Case {
  readonly name: string;
  readonly nodes: number;
  readonly pods: number;
  /** What the pods' specification has beside that of a basic pod. */
  readonly spec?: (app: string) => object;
  /** Pods that are there before, each filling a node. */
  readonly fillers?: number;
  /** All pods are there before the scheduler may begin. */
  readonly isCreatedBefore?: boolean;
}

function ownApp(app: string, topologyKey: string): object {
  return { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels: { app } } }] };
}

const ZONE = "topology.kubernetes.io/zone";
const HOSTNAME = "kubernetes.io/hostname";

const antiAffinity = (app: string) => ({ affinity: { podAntiAffinity: ownApp(app, HOSTNAME) } });
const affinity = (app: string) => ({ affinity: { podAffinity: ownApp(app, ZONE) } });
const spreading = (app: string) => ({
  topologySpreadConstraints: [
    { topologyKey: ZONE, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: { app } } },
    { topologyKey: HOSTNAME, maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: { app } } },
  ],
});

const CASES: readonly Case[] = [
  { name: "basic", nodes: 1000, pods: 5000 },
  { name: "basic, created before", nodes: 1000, pods: 5000, isCreatedBefore: true },
  { name: "preemption", nodes: 1000, pods: 500, fillers: 1000, spec: () => ({ priorityClassName: HIGH }) },
  { name: "basic", nodes: 5000, pods: 5000 },
  { name: "basic, created before", nodes: 5000, pods: 5000, isCreatedBefore: true },
  { name: "anti-affinity", nodes: 5000, pods: 5000, spec: antiAffinity },
  { name: "affinity", nodes: 5000, pods: 5000, spec: affinity },
  { name: "spreading", nodes: 5000, pods: 5000, spec: spreading },
  { name: "spreading, created before", nodes: 5000, pods: 5000, spec: spreading, isCreatedBefore: true },
];

export async function schedulerArea(bench: Bench): Promise<Row[]> {
  const connections = await openAll(bench.target, CONNECTIONS);
  const cluster = new BenchNodes(connections, bench.run);
  try {
    await createPriorityClass(connections);
    const rows: Row[] = [];
    for (const each of CASES) {
      await cluster.growTo(each.nodes);
      const rounds: ScheduledRound[] = [];
      while (rounds.length < bench.rounds) {
        const namespace = `bench-${bench.run}-${rows.length}-${rounds.length}`;
        rounds.push(await scheduleOnce(each, { bench, connections, namespace }));
      }
      rows.push({ name: `${each.name}: ${each.pods} pods on ${each.nodes} nodes`, rounds: rounds.map(({ scheduling }) => scheduling) });
      rows.push({ name: "  creating them", rounds: rounds.map(({ creating }) => creating) });
    }
    return rows;
  } finally {
    await cluster.growTo(0);
    for (const connection of connections) connection.close();
  }
}

async function createPriorityClass([connection]: readonly Connection[]): Promise<void> {
  const object = { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: HIGH }, value: 1000 };
  const request = { method: "POST", path: "/apis/scheduling.k8s.io/v1/priorityclasses", body: JSON.stringify(object) };
  if (connection !== undefined) check(await connection.send(request), request, 201, 409);
}

/** Nodes with nobody behind them. */
class BenchNodes {
  readonly #connections: readonly Connection[];
  readonly #run: string;
  #count = 0;

  constructor(connections: readonly Connection[], run: string) {
    this.#connections = connections;
    this.#run = run;
  }

  /** 0 takes all away. */
  async growTo(count: number): Promise<void> {
    const name = (index: number) => `bench-${this.#run}-${index}`;
    const from = this.#count;
    this.#count = count;
    if (count === 0) {
      await each(this.#connections, from, async (connection, index) => {
        const request = { method: "DELETE", path: `/api/v1/nodes/${name(index)}` };
        check(await connection.send(request), request, 200, 404);
      });
      return;
    }
    await each(this.#connections, count - from, async (connection, index) => {
      const body = JSON.stringify(simulatedNode(name(from + index), from + index));
      await call(connection, { method: "POST", path: "/api/v1/nodes", body }, 201);
    });
  }
}

async function each(connections: readonly Connection[], count: number, work: (connection: Connection, index: number) => Promise<void>) {
  await closedLoop({ connections, operation: (connection, index) => (index >= count ? undefined : work(connection, index)) });
}

interface CaseRun {
  readonly bench: Bench;
  readonly connections: readonly Connection[];
  readonly namespace: string;
}

interface ScheduledRound {
  readonly scheduling: Round;
  /** Until the last creation was answered. */
  readonly creating: Round;
}

async function scheduleOnce({ pods, fillers = 0, spec, isCreatedBefore = false }: Case, run: CaseRun): Promise<ScheduledRound> {
  const { bench, connections, namespace } = run;
  const watcher = await Connection.open(bench.target);
  const control = await Connection.open(bench.target);
  try {
    await makeNamespace(control, namespace);
    const bindings = new Bindings();
    await watchLines(watcher, podsPath(namespace), (line) => bindings.see(line));
    const filled = bindings.reach("filler-", fillers);
    await createPods(connections, namespace, { count: fillers, podOf: fillerPod });
    await within(LIMIT_SECONDS, `binding ${fillers} pods`, filled);
    const bound = bindings.reach("pod-", pods);
    const podOf = (index: number) => podOfCase(index, isCreatedBefore ? groupedSpec(spec) : spec);
    const { serverPid } = bench;
    let createdAt = new Map<string, number>();
    const create = async () => {
      createdAt = await createPods(connections, namespace, { count: pods, podOf });
      return { operations: pods, latenciesMs: [] };
    };
    let creating = isCreatedBefore ? await timeRound({ serverPid, work: create }) : undefined;
    const schedule = async () => {
      if (creating === undefined) creating = await timeRound({ serverPid, work: create });
      else await createPodGroup(control, namespace);
      await within(LIMIT_SECONDS, `binding ${pods} pods`, bound);
      const latenciesMs = isCreatedBefore ? [] : Array.from(createdAt, ([name, at]) => (bindings.seenAt(name) ?? at) - at);
      return { operations: pods, latenciesMs };
    };
    const scheduling = await timeRound({ serverPid, work: schedule });
    return { scheduling, creating: creating ?? scheduling };
  } catch (error) {
    throw error instanceof Error ? new VoidError(error.message) : error;
  } finally {
    await removeNamespace(control, namespace);
    await untilGone(control, namespace);
    watcher.close();
    control.close();
  }
}

/** When a watch first showed each pod on a node. */
class Bindings {
  readonly #seen = new Map<string, number>();
  #awaited: { readonly prefix: string; left: number; readonly done: () => void } | undefined;

  see(line: string): void {
    if (!line.includes('"nodeName":"')) return;
    const name = textAfter(line, '"name":"');
    if (name === undefined || this.#seen.has(name)) return;
    this.#seen.set(name, performance.now());
    const awaited = this.#awaited;
    if (awaited !== undefined && name.startsWith(awaited.prefix) && --awaited.left === 0) awaited.done();
  }

  /** Resolves when so many more pods of that prefix are on nodes. */
  reach(prefix: string, count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { prefix, left: count, done: resolve };
    if (count === 0) resolve();
    return promise;
  }

  seenAt(name: string): number | undefined {
    return this.#seen.get(name);
  }
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: object;
}

/** The pods that name it may be scheduled from then on, each for itself. */
async function createPodGroup(connection: Connection, namespace: string): Promise<void> {
  const path = `/apis/scheduling.k8s.io/v1alpha2/namespaces/${namespace}/podgroups`;
  const group = { metadata: { name: GROUP }, spec: { schedulingPolicy: { basic: {} } } };
  await call(connection, { method: "POST", path, body: JSON.stringify(group) }, 201);
}

const groupedSpec = (spec: Case["spec"]) => (app: string) => ({ ...spec?.(app), schedulingGroup: { podGroupName: GROUP } });

/** So that what a round leaves behind is not cleared away in the next one. Where no controller does it, it stays. */
async function untilGone(connection: Connection, namespace: string): Promise<void> {
  for (const endAt = performance.now() + GONE_SECONDS * 1000; performance.now() < endAt; await sleep(50)) {
    const { status } = await connection.send({ method: "GET", path: `/api/v1/namespaces/${namespace}` });
    if (status === 404) return;
  }
}

function podOfCase(index: number, spec: Case["spec"]): PodObject {
  const pod = schedulablePod(`pod-${index}`) as unknown as PodObject;
  return spec === undefined ? pod : { ...pod, spec: { ...pod.spec, ...spec(pod.metadata.labels["app"] ?? "") } };
}

/** Leaves no room for another pod, and goes at once when it has to. */
function fillerPod(index: number): PodObject {
  const pod = schedulablePod(`filler-${index}`) as unknown as PodObject;
  const resources = { requests: { cpu: "7950m" } };
  return { ...pod, spec: { ...pod.spec, terminationGracePeriodSeconds: 0, containers: [{ name: "main", image: "image", resources }] } };
}

/** When the creation of each pod was sent. */
async function createPods(
  connections: readonly Connection[],
  namespace: string,
  { count, podOf }: { readonly count: number; readonly podOf: (index: number) => PodObject },
): Promise<Map<string, number>> {
  const createdAt = new Map<string, number>();
  const path = podsPath(namespace);
  await each(connections, count, async (connection, index) => {
    const pod = podOf(index);
    createdAt.set(pod.metadata.name, performance.now());
    const request = { method: "POST", path, body: JSON.stringify(pod) };
    check(await connection.send(request), request, 201);
  });
  return createdAt;
}
