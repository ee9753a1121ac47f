// A large cluster as a whole: hollow nodes that register and play pods, Deployments of many pods behind Services, what the
// server costs when all of them run and nothing happens, a rollout, and the end of them all.
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiList, call, check, makeNamespace, podsPath, VoidError } from "../api.ts";
import { Connection } from "../connection.ts";
import { percentile } from "../measure.ts";
import { realisticPod } from "../objects.ts";
import { digits, printTable } from "../print.ts";
import type { OwnServer } from "../server.ts";
import { type Usage, usageOf } from "../usage.ts";
import { textAfter, watchLines, within } from "../watching.ts";

export interface HollowBench {
  readonly server: OwnServer;
  readonly nodes: number;
  readonly pods: number;
  /** How long the cluster is watched when it has come to rest. */
  readonly seconds: number;
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

const DEPLOYMENTS = 5;
const NAMESPACE = "bench-hollow";
const PATH = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
/** The longest pause between two renewals of a hollow node that keeps its time. */
const RENEW_MS = 10_500;
const LIMIT_SECONDS = 600;
/** Events and statuses that come after the last pod is ready. */
const SETTLE_MS = 10_000;

export async function hollowArea({ server, nodes, pods, seconds }: HollowBench): Promise<void> {
  const { target } = server;
  const control = await Connection.open(target);
  const leaseWatch = await Connection.open(target);
  const watcher = await Connection.open(target);
  const lines: string[][] = [["", "seconds", "CPU s", "CPU %", "RSS MB", "hollow CPU s", "writes/s", "leases/s", "late p99 ms"]];
  try {
    const leases = new Leases();
    await watchLines(leaseWatch, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", (line) => leases.see(line));
    const ready = new Counted((line) => line.includes('"reason":"KubeletReady"'));
    await watchLines(watcher, "/api/v1/nodes", (line) => ready.see(line));
    const hollowPid = server.startHollow(nodes);
    const stages = new Stages({ server, hollowPid, control, leases });
    await stages.measure(`${nodes} nodes Ready`, lines, () => within(LIMIT_SECONDS, "registering the nodes", ready.reach(nodes)));
    watcher.close();
    const perDeployment = Math.ceil(pods / DEPLOYMENTS);
    await stages.measure(`${perDeployment * DEPLOYMENTS} pods available`, lines, () => runPods(server, control, perDeployment));
    await stages.measure("coming to rest", lines, () => sleep(SETTLE_MS));
    await stages.measure("at rest", lines, () => sleep(seconds * 1000));
    await stages.measure(`rollout of ${perDeployment} pods`, lines, () => rollOut(server, control));
    await stages.measure("all pods gone", lines, () => removePods(control));
  } finally {
    for (const connection of [control, leaseWatch, watcher]) connection.close();
    printTable(`hollow cluster`, lines);
  }
}

async function runPods({ target }: OwnServer, control: Connection, replicas: number): Promise<void> {
  const watcher = await Connection.open(target);
  try {
    await makeNamespace(control, NAMESPACE);
    const available = new Counted(isRolledOut);
    await watchLines(watcher, PATH, (line) => available.see(line));
    for (let index = 0; index < DEPLOYMENTS; index++) {
      await create(control, `/api/v1/namespaces/${NAMESPACE}/services`, service(`bench-${index}`));
      await create(control, PATH, deployment(`bench-${index}`, replicas));
    }
    await within(LIMIT_SECONDS, "running the pods", available.reach(DEPLOYMENTS));
  } finally {
    watcher.close();
  }
}

/** Whether all pods of the Deployment are of its newest template, and available. */
function isRolledOut(line: string): boolean {
  const { metadata, spec, status } = (JSON.parse(line) as { readonly object: Deployment }).object;
  const { replicas } = spec;
  const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
  return status?.observedGeneration === metadata.generation && counts.every((count) => count === replicas);
}

/** One of the Deployments gets another template. */
async function rollOut({ target }: OwnServer, control: Connection): Promise<void> {
  const watcher = await Connection.open(target);
  try {
    const done = new Counted((line) => line.includes('"generation":2,') && isRolledOut(line));
    await watchLines(watcher, PATH, (line) => done.see(line));
    const request = {
      method: "PATCH",
      path: `${PATH}/bench-0`,
      body: '{"spec":{"template":{"metadata":{"annotations":{"version":"2"}}}}}',
    };
    check(await control.send({ ...request, contentType: "application/merge-patch+json" }), request, 200);
    await within(LIMIT_SECONDS, "rolling out", done.reach(1));
  } finally {
    watcher.close();
  }
}

async function removePods(control: Connection): Promise<void> {
  for (let index = 0; index < DEPLOYMENTS; index++) {
    const request = { method: "DELETE", path: `${PATH}/bench-${index}`, body: '{"propagationPolicy":"Background"}' };
    check(await control.send(request), request, 200);
  }
  const endAt = performance.now() + LIMIT_SECONDS * 1000;
  while ((await call<ApiList>(control, { method: "GET", path: `${podsPath(NAMESPACE)}?limit=1` }, 200)).items.length > 0) {
    if (performance.now() > endAt) throw new VoidError(`removing the pods took longer than ${LIMIT_SECONDS} s`);
    await sleep(200);
  }
}

async function create(connection: Connection, path: string, object: object): Promise<void> {
  const request = { method: "POST", path, body: JSON.stringify(object) };
  check(await connection.send(request), request, 201);
}

function deployment(name: string, replicas: number): object {
  const { metadata, spec } = realisticPod({ name, schedulerName: "default-scheduler" });
  const labels = { ...metadata.labels, app: name };
  const template = { metadata: { labels, annotations: metadata.annotations }, spec };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { replicas, selector: { matchLabels: { app: name } }, template },
  };
}

function service(name: string): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: "http" }] },
  };
}

/** Objects of which a watch has shown the wanted state. */
class Counted {
  readonly #isWanted: (line: string) => boolean;
  readonly #names = new Set<string>();
  #awaited: { readonly count: number; readonly done: () => void } | undefined;

  constructor(isWanted: (line: string) => boolean) {
    this.#isWanted = isWanted;
  }

  see(line: string): void {
    if (!this.#isWanted(line)) return;
    this.#names.add(textAfter(line, '"name":"') ?? "");
    if (this.#awaited !== undefined && this.#names.size >= this.#awaited.count) this.#awaited.done();
  }

  reach(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { count, done: resolve };
    if (this.#names.size >= count) resolve();
    return promise;
  }
}

/** How many renewals of leases a watch has shown, and by how much they were late. */
class Leases {
  readonly #renewedMs = new Map<string, number>();
  #lateMs: number[] = [];
  #count = 0;

  see(line: string): void {
    const name = textAfter(line, '"name":"');
    const renewTime = textAfter(line, '"renewTime":"');
    if (name === undefined || renewTime === undefined) return;
    this.#count++;
    const atMs = Date.parse(renewTime);
    const lastMs = this.#renewedMs.get(name);
    this.#renewedMs.set(name, atMs);
    if (lastMs !== undefined) this.#lateMs.push(Math.max(0, atMs - lastMs - RENEW_MS));
  }

  /** Since the last call. */
  take(): { readonly count: number; readonly lateP99Ms: number | undefined } {
    const sorted = this.#lateMs.toSorted((a, b) => a - b);
    const taken = { count: this.#count, lateP99Ms: percentile(sorted, 0.99) };
    this.#lateMs = [];
    this.#count = 0;
    return taken;
  }
}

interface Watched {
  readonly server: OwnServer;
  readonly hollowPid: number;
  readonly control: Connection;
  readonly leases: Leases;
}

/** Runs one thing after the other and reads what it cost. */
class Stages {
  readonly #watched: Watched;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  async measure(name: string, lines: string[][], work: () => Promise<unknown>): Promise<void> {
    const { server, hollowPid, leases } = this.#watched;
    const spent = (before: Usage | undefined, after: Usage | undefined) => (after?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0);
    leases.take();
    const revision = await this.#revision();
    const before = { server: usageOf(server.pid), hollow: usageOf(hollowPid) };
    const start = performance.now();
    await work();
    const seconds = (performance.now() - start) / 1000;
    const after = { server: usageOf(server.pid), hollow: usageOf(hollowPid) };
    const { count, lateP99Ms } = leases.take();
    const writes = (await this.#revision()) - revision - count;
    const cpu = spent(before.server, after.server);
    const values = [seconds, cpu, (cpu / seconds) * 100, (after.server?.rssBytes ?? 0) / 2 ** 20, spent(before.hollow, after.hollow)];
    lines.push([name, ...[...values, writes / seconds, count / seconds, lateP99Ms].map(digits)]);
  }

  async #revision(): Promise<number> {
    const { metadata } = await call<ApiList>(this.#watched.control, { method: "GET", path: "/api/v1/pods?limit=1" }, 200);
    return Number(metadata.resourceVersion);
  }
}
