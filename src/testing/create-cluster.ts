// A whole cluster inside one process: API server, controllers, scheduler and simulated nodes, under virtual time.
import { builtInCatalog, type UserInfo } from "../api/index.ts";
import { ApiServerCore, allowAll, metricsApi, type UsageSource } from "../apiserver/index.ts";
import { type Logger, SeededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import { type Client, LocalClient } from "../client/index.ts";
import { ControlPlane, type ControlPlaneOptions } from "../cmd/control-plane/control-plane.ts";
import { MemoryStore } from "../storage/index.ts";
import { type SimulatedNode, simulatedNode } from "./simulated-node.ts";
import { slowHandler } from "./slow-handler.ts";

export interface ClusterOptions {
  /** The same seed gives the same cluster, event by event. Default 1. */
  readonly seed?: number;
  /** How many simulated nodes. Default 1. */
  readonly nodes?: number;
  readonly logger?: Logger;
  /** How late, at most, the server's answers and events reach controllers and scheduler. Default 0. */
  readonly latencyMs?: number;
  /** Profiles and plug-ins of your own. */
  readonly scheduler?: ControlPlaneOptions["scheduler"];
}

interface RunningNode {
  readonly node: SimulatedNode;
  readonly stop: AbortController;
  readonly running: Promise<void>;
}

const ADMIN: UserInfo = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };

export class Cluster implements AsyncDisposable {
  readonly clock: VirtualClock;
  /** Acts as an administrator. */
  readonly client: Client;
  readonly #stop = new AbortController();
  readonly #nodes: Map<string, RunningNode>;
  readonly #clientFor: (user: UserInfo) => Client;
  readonly #makeControlPlane: () => ControlPlane;
  #controlPlaneStop = new AbortController();
  readonly #random: SeededRandom;
  readonly #logger: Logger;
  #running: Promise<void> | undefined;

  private constructor(parts: {
    readonly clock: VirtualClock;
    readonly clientFor: (user: UserInfo) => Client;
    readonly makeControlPlane: () => ControlPlane;
    readonly random: SeededRandom;
    readonly logger: Logger;
    readonly nodes: Map<string, RunningNode>;
  }) {
    this.clock = parts.clock;
    this.#nodes = parts.nodes;
    this.#clientFor = parts.clientFor;
    this.#makeControlPlane = parts.makeControlPlane;
    this.#random = parts.random;
    this.#logger = parts.logger;
    this.client = this.clientFor(ADMIN);
  }

  static async create({
    seed = 1,
    nodes = 1,
    logger = silentLogger,
    latencyMs = 0,
    scheduler = {},
  }: ClusterOptions = {}): Promise<Cluster> {
    const clock = new VirtualClock();
    const random = new SeededRandom(seed);
    const store = new MemoryStore({ clock });
    const catalog = builtInCatalog();
    const nodesByName = new Map<string, RunningNode>();
    const source = usageOf(nodesByName);
    const core = new ApiServerCore({
      store,
      catalog,
      clock,
      random,
      logger,
      authorizer: allowAll,
      computed: (handler) => metricsApi({ handler, catalog, source, clock, logger }),
      deepFreezes: true,
    });
    const handler = latencyMs === 0 ? core : slowHandler({ handler: core, clock, random, latencyMs });
    const options = { handler, catalog, clock, random, logger, caPem: "simulated", podNetwork: "10.244.0.0/16", scheduler };
    const makeControlPlane = () => new ControlPlane(options);
    const clientFor = (user: UserInfo) => new LocalClient({ handler: core, catalog, user, userAgent: "k8ts-testing" });
    const cluster = new Cluster({ clock, clientFor, makeControlPlane, random, logger, nodes: nodesByName });
    await core.start(cluster.#stop.signal);
    cluster.#running = makeControlPlane().run(cluster.#controlPlaneStop.signal);
    for (let index = 1; index <= nodes; index++) cluster.startNode(index);
    await clock.advance(1000);
    return cluster;
  }

  clientFor(user: UserInfo): Client {
    return this.#clientFor(user);
  }

  /** Starts the agent of node number `index`: `node-1`, … */
  startNode(index: number): string {
    const name = `node-${index}`;
    const user = { name: `system:node:${name}`, groups: ["system:nodes", "system:authenticated"] };
    const node = simulatedNode({
      name,
      index,
      client: this.clientFor(user),
      clock: this.clock,
      random: this.#random,
      logger: this.#logger,
    });
    const stop = new AbortController();
    this.#nodes.set(name, { node, stop, running: node.run(stop.signal) });
    return name;
  }

  /** Ends a node's agent without a word to the server, as a power cut would. */
  async stopNode(name: string): Promise<void> {
    const node = this.#nodes.get(name);
    this.#nodes.delete(name);
    node?.stop.abort();
    await node?.running;
  }

  /** Ends controllers and scheduler in the middle of what they do, and starts others that know nothing of it. */
  async restartControlPlane(): Promise<void> {
    this.#controlPlaneStop.abort();
    await this.#running;
    this.#controlPlaneStop = new AbortController();
    this.#running = this.#makeControlPlane().run(this.#controlPlaneStop.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#nodes.keys()]) await this.stopNode(name);
    this.#controlPlaneStop.abort();
    await this.#running;
    this.#stop.abort();
  }
}

/** The nodes' agents, asked without a network. */
function usageOf(nodes: ReadonlyMap<string, RunningNode>): UsageSource {
  return {
    read: async (name) => {
      const running = nodes.get(name);
      if (running === undefined) throw new Error(`node ${name} does not run`);
      return running.node.usage();
    },
  };
}

/** Starts a cluster; `await using` ends it. */
export function createCluster(options?: ClusterOptions): Promise<Cluster> {
  return Cluster.create(options);
}
