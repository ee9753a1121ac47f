// Random workloads on simulated nodes that fail, under controllers that are restarted, in virtual time: one seed is one
// history, which can be played again.
import { resources } from "../../../src/api/index.ts";
import type { Pod } from "../../../src/api/types/core/v1.ts";
import { SeededRandom } from "../../../src/base/index.ts";
import { type DeepReadonly, isConflict, isNotFound, isTooManyRequests, type KubeObject, objectKey } from "../../../src/machinery/index.ts";
import { type Cluster, createCluster } from "../../../src/testing/index.ts";
import { healthyPods, randomAutoscaler, randomBudget, scalableKinds } from "./companions.ts";
import { finalProblems, momentaryProblems, readWorld, type World } from "./invariants.ts";
import { RandomChoice } from "./random-choice.ts";
import { SizeHistory } from "./size-history.ts";
import { type WorkloadKind, workloadKinds } from "./workloads.ts";

export interface Simulation {
  readonly seed: number;
  /** What was done, in order. */
  readonly log: readonly string[];
  /** Empty when all was well. */
  readonly problems: readonly string[];
}

const NODES = 3;
const STEPS = 15;
const MAX_WORKLOADS = 5;
const MAX_LATENCY_MS = 400;
/** Long enough for a lost node's pods to be evicted, and for the longest back-off of what then fails. */
const SETTLE_LIMIT_MS = 20 * 60_000;
const SETTLE_STEP_MS = 30_000;
const REST_MS = 2 * 60_000;

interface Workload {
  readonly kind: WorkloadKind;
  readonly name: string;
}

const inDefault = { namespace: "default" };

class WorkloadSimulation {
  readonly log: string[] = [];
  readonly problems: string[] = [];
  readonly #cluster: Cluster;
  readonly #choice: RandomChoice;
  readonly #sizes: SizeHistory;
  readonly #startMs: number;
  readonly #stopped = new Set<number>();
  #workloads: Workload[] = [];
  #made = 0;

  constructor(cluster: Cluster, seed: number) {
    this.#cluster = cluster;
    this.#choice = new RandomChoice(new SeededRandom(seed));
    this.#sizes = new SizeHistory(cluster);
    this.#startMs = cluster.clock.now();
  }

  async run(): Promise<void> {
    const stop = new AbortController();
    const following = this.#sizes.follow(stop.signal);
    try {
      await this.#runSteps();
    } finally {
      stop.abort();
      await following;
    }
  }

  async #runSteps(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      await this.#step();
      await this.#cluster.clock.advance(this.#choice.between(5000, 20_000));
      this.#check("", [...this.#sizes.takeProblems(), ...momentaryProblems(await readWorld(this.#cluster.client))]);
    }
    await this.#settle();
  }

  async #step(): Promise<void> {
    const actions: readonly (() => Promise<void>)[] = [
      () => this.#create(),
      () => this.#create(),
      () => this.#change(),
      () => this.#change(),
      () => this.#change(),
      () => this.#deletePod(),
      () => this.#deletePod(),
      () => this.#deleteWorkload(),
      () => this.#protect(),
      () => this.#autoscale(),
      () => this.#evict(),
      () => this.#toggleNode(),
      () => this.#restart(),
    ];
    const action = this.#choice.oneOf(actions);
    try {
      await action?.();
    } catch (error) {
      // What was chosen has changed or gone in the meantime.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #create(): Promise<void> {
    const kind = this.#choice.oneOf(workloadKinds);
    if (kind === undefined || this.#workloads.length >= MAX_WORKLOADS) return;
    const name = `w${++this.#made}`;
    this.#say(`create ${kind.resource.kind} ${name}`);
    await this.#cluster.client.create(kind.resource, kind.make(name, this.#choice), inDefault);
    this.#workloads.push({ kind, name });
  }

  async #change(): Promise<void> {
    const workload = this.#choice.oneOf(this.#workloads);
    if (workload === undefined) return;
    const { patch, text } = workload.kind.change(this.#choice);
    this.#say(`change ${workload.kind.resource.kind} ${workload.name}: ${text}`);
    await this.#patch(workload.kind, workload.name, patch);
  }

  async #deletePod(): Promise<void> {
    const { items } = await this.#cluster.client.list(resources.pods, inDefault);
    const pod = this.#choice.oneOf(items);
    if (pod === undefined) return;
    const isForced = this.#choice.happens(0.1);
    this.#say(`delete pod ${pod.metadata.name}${isForced ? " by force" : ""}`);
    const options = isForced ? { gracePeriodSeconds: 0 } : {};
    await this.#cluster.client.delete(resources.pods, pod.metadata.name ?? "", { ...inDefault, options });
  }

  async #deleteWorkload(): Promise<void> {
    const workload = this.#choice.oneOf(this.#workloads);
    if (workload === undefined || !this.#choice.happens(0.5)) return;
    const propagationPolicy = this.#choice.happens(0.3) ? "Foreground" : "Background";
    this.#say(`delete ${workload.kind.resource.kind} ${workload.name}, ${propagationPolicy}`);
    this.#workloads = this.#workloads.filter((each) => each !== workload);
    await this.#cluster.client.delete(workload.kind.resource, workload.name, { ...inDefault, options: { propagationPolicy } });
  }

  async #protect(): Promise<void> {
    const name = this.#choice.oneOf(this.#scalable())?.name;
    if (name === undefined) return;
    const budget = randomBudget(name, this.#choice);
    this.#say(`protect ${name}: ${JSON.stringify(budget.spec)}`);
    await this.#cluster.client.delete(resources.poddisruptionbudgets, name, inDefault).catch(ignoreMissing);
    await this.#cluster.client.create(resources.poddisruptionbudgets, budget, inDefault);
  }

  async #autoscale(): Promise<void> {
    const workload = this.#choice.oneOf(this.#scalable());
    if (workload === undefined) return;
    const { name, kind } = workload;
    const autoscaler = randomAutoscaler(name, kind.resource.kind, this.#choice);
    this.#say(`autoscale ${name} from ${autoscaler.spec?.minReplicas} to ${autoscaler.spec?.maxReplicas}`);
    await this.#cluster.client.delete(resources.horizontalpodautoscalers, name, inDefault).catch(ignoreMissing);
    await this.#cluster.client.create(resources.horizontalpodautoscalers, autoscaler, inDefault);
  }

  /** Tries to evict all pods of a workload at once, as an impatient drain does: its budget must hold. */
  async #evict(): Promise<void> {
    const { client } = this.#cluster;
    const name = this.#choice.oneOf(this.#scalable())?.name;
    if (name === undefined) return;
    const budget = await client.get(resources.poddisruptionbudgets, name, inDefault).catch(ignoreMissing);
    const { items } = await client.list(resources.pods, { ...inDefault, labelSelector: `app=${name}` });
    const healthy = new Set(healthyPods(items, name));
    const evicted = await Promise.all(items.map(async (pod) => ((await this.#evictPod(pod)) && healthy.has(pod) ? 1 : 0)));
    const count = evicted.reduce<number>((sum, each) => sum + each, 0);
    const allowed = budget?.status?.disruptionsAllowed ?? 0;
    this.#say(`evict ${name}: ${count} healthy pods of ${healthy.size}, ${budget === undefined ? "no budget" : `${allowed} allowed`}`);
    if (budget !== undefined && count > allowed) this.#check("", [`${count} healthy pods of ${name} were evicted instead of ${allowed}`]);
  }

  async #evictPod({ metadata: { name = "" } }: DeepReadonly<Pod>): Promise<boolean> {
    try {
      await this.#cluster.client.createSubresource(resources.pods, name, "eviction", { metadata: { name } }, inDefault);
      return true;
    } catch (error) {
      if (isNotFound(error) || isConflict(error) || isTooManyRequests(error)) return false;
      throw error;
    }
  }

  #scalable(): readonly Workload[] {
    return this.#workloads.filter(({ kind }) => scalableKinds.includes(kind.resource.kind));
  }

  async #toggleNode(): Promise<void> {
    const index = this.#choice.between(1, NODES);
    if (this.#stopped.has(index)) this.#startNode(index);
    else if (this.#stopped.size < NODES - 1) {
      this.#say(`stop node ${index}`);
      this.#stopped.add(index);
      await this.#cluster.stopNode(`node-${index}`);
    }
  }

  #startNode(index: number): void {
    this.#say(`start node ${index}`);
    this.#stopped.delete(index);
    this.#cluster.startNode(index);
  }

  async #restart(): Promise<void> {
    this.#say("restart the control plane");
    await this.#cluster.restartControlPlane();
  }

  async #settle(): Promise<void> {
    for (const index of [...this.#stopped]) this.#startNode(index);
    for (const { kind, name } of this.#workloads) {
      if (kind.resource === resources.cronjobs) await this.#patch(kind, name, { spec: { suspend: true } });
      // A suspended job keeps the failed pod of an index until it may replace it.
      if (kind.resource === resources.jobs) await this.#patch(kind, name, { spec: { suspend: false } });
    }
    this.#say("leave it alone");
    const world = await this.#settledWorld();
    this.#check("at the end", finalProblems(world));
    await this.#cluster.clock.advance(REST_MS);
    this.#check("at rest", changes(world, await readWorld(this.#cluster.client)));
  }

  /** The world when all is as it should be and nothing moves, or when the time for that is up. */
  async #settledWorld(): Promise<World> {
    let world = await readWorld(this.#cluster.client);
    for (let passedMs = 0; ; passedMs += SETTLE_STEP_MS) {
      await this.#cluster.clock.advance(SETTLE_STEP_MS);
      const before = world;
      world = await readWorld(this.#cluster.client);
      const isSettled = finalProblems(world).length === 0 && changes(before, world).length === 0;
      if (isSettled || passedMs >= SETTLE_LIMIT_MS) return world;
    }
  }

  async #patch({ resource }: WorkloadKind, name: string, patch: object): Promise<void> {
    await this.#cluster.client.patch(resource, name, patch, { ...inDefault, type: "application/merge-patch+json" });
  }

  #check(when: string, problems: readonly string[]): void {
    for (const problem of problems) {
      const text = when === "" ? problem : `${problem}, ${when}`;
      this.#say(`PROBLEM: ${text}`);
      this.problems.push(text);
    }
  }

  #say(text: string): void {
    const seconds = ((this.#cluster.clock.now() - this.#startMs) / 1000).toFixed(1);
    this.log.push(`${seconds.padStart(7)} s  ${text}`);
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

/** Objects that were written although nothing happened. */
function changes(before: World, after: World): string[] {
  const objectsOf = ({ nodes: _, ...lists }: World): readonly KubeObject[] => Object.values(lists).flat() as readonly KubeObject[];
  const versions = new Map(objectsOf(before).map((object) => [object.metadata.uid, object.metadata.resourceVersion]));
  return objectsOf(after).flatMap((object) =>
    versions.get(object.metadata.uid) === object.metadata.resourceVersion ? [] : [`${object.kind} ${objectKey(object)} is still written`],
  );
}

/** Plays the history of one seed; with odd seeds the network is slow. Rejects only when a request is refused that should not be. */
export async function simulateWorkloads(seed: number): Promise<Simulation> {
  await using cluster = await createCluster({ seed, nodes: NODES, latencyMs: seed % 2 === 0 ? 0 : MAX_LATENCY_MS });
  const simulation = new WorkloadSimulation(cluster, seed);
  await simulation.run();
  return { seed, log: simulation.log, problems: simulation.problems };
}
