// `k8ts up`: brings a cluster from whatever state it is in to running. Each step does only what is missing.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type ClusterSpec, hostAddress, type NodeSpec, nodesOf, specProblems } from "../config/cluster.ts";
import { agentConfig, hollowConfig, serverConfig } from "../config/render.ts";
import { ensureContainerd } from "../containerd/containerd.ts";
import { ensurePauseArchive } from "../containerd/pause-image.ts";
import { parseRegistries } from "../containerd/registries.ts";
import { ensureNodeNetwork, outgoingMtu } from "../network/node-network.ts";
import { type ClusterPki, ensureClusterPki } from "../pki/cluster-pki.ts";
import { renderKubeconfig } from "../pki/kubeconfig.ts";
import { rememberHost } from "../reset/reset.ts";
import { makePrivateDirectory, writePrivate } from "../system/files.ts";
import { isAlive, type ProcessIdentity, stopDaemon } from "../system/processes.ts";
import { poll } from "../system/wait.ts";
import { apiProbe } from "./api-probe.ts";
import type { HostCluster } from "./cluster.ts";
import { ensureCompiled } from "./compiled.ts";
import { installPackages } from "./packages.ts";
import { canLowerOomScore, type HostFacts, judge, lookAtHost, packagesFor } from "./preflight.ts";
import type { Step } from "./steps.ts";

const HOLLOW_GRACE_MS = 5_000;

/** The machine or the options do not allow a cluster; the message has a sentence for each reason. */
export class PreflightError extends Error {
  readonly code = "PREFLIGHT";
  override readonly name = "PreflightError";
}

export interface UpOptions {
  readonly spec: ClusterSpec;
  readonly cluster: HostCluster;
  readonly warn: (message: string) => void;
  /** Whether to wait until all nodes are Ready. */
  readonly isWaiting: boolean;
}

/** The steps in groups; those of a group run together. */
export function upSteps(options: UpOptions): Step[][] {
  return new Up(options).steps();
}

class Up {
  readonly #options: UpOptions;
  readonly #nodes: readonly NodeSpec[];
  #facts: HostFacts | undefined;
  #pki: ClusterPki | undefined;
  #isHollowChanged = false;

  constructor(options: UpOptions) {
    this.#options = options;
    this.#nodes = nodesOf(options.spec);
  }

  steps(): Step[][] {
    const containerds = this.#nodes.map((node) => ({
      title: `containerd of ${node.name}`,
      deadlineMs: 60_000,
      run: (signal: AbortSignal) => this.#containerd(node, signal),
    }));
    const steps: Step[][] = [
      [{ title: "look at this machine", deadlineMs: 10_000, run: () => this.#preflight() }],
      [{ title: "packages", deadlineMs: 600_000, run: (signal) => this.#packages(signal) }],
      [
        { title: "certificates", deadlineMs: 30_000, run: () => this.#certificates() },
        { title: "compiled sources", deadlineMs: 60_000, run: () => ensureCompiled() },
        { title: "pause image", deadlineMs: 30_000, run: () => ensurePauseArchive(this.#options.cluster.layout.pauseArchive) },
        { title: "network of the nodes", deadlineMs: 30_000, run: () => this.#network() },
      ],
      [{ title: "API server", deadlineMs: 60_000, run: (signal) => this.#server(signal) }, ...containerds],
      this.#nodes.map((node) => ({ title: `agent of ${node.name}`, deadlineMs: 10_000, run: () => this.#agent(node) })),
      [{ title: "hollow nodes", deadlineMs: 10_000, run: () => this.#hollow() }],
    ];
    if (this.#options.spec.hollowNodeCount === 0 && this.#options.cluster.runningHollow() === undefined) steps.pop();
    if (this.#options.isWaiting) steps.push([{ title: "nodes ready", deadlineMs: 60_000, run: (signal) => this.#ready(signal) }]);
    return steps;
  }

  async #preflight(): Promise<void> {
    const { spec, cluster, warn } = this.#options;
    const problems = specProblems(spec);
    if (problems.length > 0) throw new PreflightError(problems.join("\n"));
    const { dataDirectory, clusterFile } = cluster.layout;
    const options = { port: spec.port, dataDirectory, clusterFile, isServerRunning: cluster.runningServer() !== undefined };
    const facts = await lookAtHost(options);
    const findings = judge(facts, options);
    const errors = findings.filter((finding) => finding.severity === "error");
    if (errors.length > 0) throw new PreflightError(errors.map((finding) => finding.message).join("\n"));
    for (const finding of findings) warn(finding.message);
    this.#facts = facts;
    this.#claimDirectories();
  }

  /** From here on the data directory is ours, and everything in it is in the ledger. */
  #claimDirectories(): void {
    const { spec, cluster } = this.#options;
    const { dataDirectory, runDirectory, clusterFile } = cluster.layout;
    this.#isHollowChanged = (cluster.savedSpec()?.hollowNodeCount ?? 0) !== spec.hollowNodeCount;
    makePrivateDirectory(dataDirectory);
    writePrivate(clusterFile, `${JSON.stringify(spec, undefined, 2)}\n`);
    cluster.ledger.record({ type: "path", path: dataDirectory, isData: true });
    cluster.ledger.record({ type: "path", path: runDirectory, isData: false });
    cluster.ledger.record({ type: "cgroup", path: "/k8ts" });
  }

  async #packages(signal: AbortSignal): Promise<void> {
    const facts = this.#seen();
    await installPackages({ packages: packagesFor(facts), ledger: this.#options.cluster.ledger, signal });
    await rememberHost(this.#options.cluster);
  }

  async #certificates(): Promise<void> {
    const { spec, cluster } = this.#options;
    const { layout, clock } = cluster;
    const pki = await ensureClusterPki({ directory: layout.pki, spec, nodes: this.#nodes, clock });
    const local = `https://127.0.0.1:${spec.port}`;
    const remote = `https://${hostAddress(spec.nodeNetwork, 1)}:${spec.port}`;
    writePrivate(layout.kubeconfig, renderKubeconfig({ server: local, caFile: pki.caFile, client: pki.admin, user: "kubernetes-admin" }));
    writePrivate(layout.serverConfig, json(serverConfig(spec, layout, pki)));
    const { client: hollowClient } = pki.hollow;
    writePrivate(
      layout.hollowKubeconfig,
      renderKubeconfig({ server: local, caFile: pki.caFile, client: hollowClient, user: "k8ts:hollow-nodes" }),
    );
    writePrivate(layout.hollowConfig, json(hollowConfig(spec, layout, pki)));
    for (const node of this.#nodes) {
      const client = pki.nodes[node.name]?.client;
      if (client === undefined) throw new Error(`no certificates for ${node.name}`);
      const server = node.networkNamespace === undefined ? local : remote;
      const files = layout.node(node.name);
      writePrivate(files.agentKubeconfig, renderKubeconfig({ server, caFile: pki.caFile, client, user: `system:node:${node.name}` }));
      writePrivate(files.agentConfig, json(agentConfig({ spec, node, layout, pki, facts: this.#seen() })));
    }
    this.#pki = pki;
  }

  async #network(): Promise<void> {
    const { spec, cluster } = this.#options;
    await ensureNodeNetwork({ spec, nodes: this.#nodes, ledger: cluster.ledger });
  }

  async #server(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    const server = cluster.startServer();
    const probe = apiProbe(this.#options.spec.port, this.#issued());
    await this.#until("the server", server, async () => ((await probe.isReady()) ? true : undefined), signal);
  }

  async #containerd(node: NodeSpec, signal: AbortSignal): Promise<void> {
    const { layout, clock, ledger } = this.#options.cluster;
    const { registriesFile } = this.#options.spec;
    const facts = this.#seen();
    await ensureContainerd({
      node,
      layout: layout.node(node.name),
      logDirectory: layout.logs,
      hostStateFile: layout.hostStateFile,
      pauseArchive: layout.pauseArchive,
      canLowerOomScore: canLowerOomScore(facts),
      mtu: outgoingMtu(),
      ...(registriesFile === undefined ? {} : { registries: parseRegistries(parse(readFileSync(registriesFile, "utf8"))) }),
      ledger,
      clock,
      signal,
    });
  }

  async #agent(node: NodeSpec): Promise<void> {
    this.#options.cluster.startAgent(node);
  }

  /** Their process is started anew when their number has changed. */
  async #hollow(): Promise<void> {
    const { cluster, spec } = this.#options;
    const { hollowPid } = cluster.layout;
    if (this.#isHollowChanged) await stopDaemon(hollowPid, { clock: cluster.clock, graceMs: HOLLOW_GRACE_MS });
    // With none at all it removes those that there were.
    if (spec.hollowNodeCount > 0 || this.#isHollowChanged) cluster.startHollow();
  }

  async #ready(signal: AbortSignal): Promise<void> {
    const { cluster, spec } = this.#options;
    const probe = apiProbe(spec.port, this.#issued());
    const areReady = async () => {
      const ready = await probe.readyNodes();
      return this.#nodes.every((node) => ready?.has(node.name) === true) ? true : undefined;
    };
    const first = this.#nodes[0];
    const agent = first === undefined ? undefined : cluster.runningAgent(first.name);
    if (agent === undefined) throw new Error(`the agent ended; its log in ${cluster.layout.logs} says why`);
    await this.#until(`the agent of ${first?.name}`, agent, areReady, signal);
  }

  /** Waits for an answer as long as the process that gives it lives. */
  async #until(name: string, identity: ProcessIdentity, probe: () => Promise<true | undefined>, signal: AbortSignal): Promise<void> {
    const { clock, layout } = this.#options.cluster;
    await poll(
      async () => {
        if (!isAlive(identity)) throw new Error(`${name} ended; its log in ${layout.logs} says why`);
        return probe();
      },
      { clock, signal, firstMs: 10 },
    );
  }

  #seen(): HostFacts {
    if (this.#facts === undefined) throw new Error("the machine has not been looked at");
    return this.#facts;
  }

  #issued(): ClusterPki {
    if (this.#pki === undefined) throw new Error("there are no certificates yet");
    return this.#pki;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
