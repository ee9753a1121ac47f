// A cluster on this machine as `up`, `down` and the other commands see it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../base/index.ts";
import { type ClusterSpec, DEFAULT_SPEC, type NodeSpec, nodesOf } from "../config/cluster.ts";
import { type Layout, layoutOf } from "../config/layout.ts";
import { Ledger } from "../ledger/ledger.ts";
import { inNamespace } from "../network/node-network.ts";
import { readJson } from "../system/files.ts";
import { type ProcessIdentity, readPidFile, startDaemon } from "../system/processes.ts";

const ENTRY = fileURLToPath(new URL("../k8ts.ts", import.meta.url));

/** A command that needs a cluster where there is none. */
export class NoClusterError extends Error {
  readonly code = "NO_CLUSTER";

  constructor(dataDirectory: string) {
    super(`there is no cluster in ${dataDirectory}; make one with k8ts up`);
    this.name = "NoClusterError";
  }
}

export class HostCluster {
  readonly layout: Layout;
  readonly clock: Clock;
  readonly ledger: Ledger;

  constructor(options: { readonly dataDirectory: string; readonly runDirectory: string; readonly clock: Clock }) {
    this.layout = layoutOf(options.dataDirectory, options.runDirectory);
    this.clock = options.clock;
    this.ledger = new Ledger(this.layout.ledgerFile);
  }

  /** What the first `up` decided; undefined before. */
  savedSpec(): ClusterSpec | undefined {
    const saved = readJson<Partial<ClusterSpec>>(this.layout.clusterFile);
    return saved === undefined ? undefined : { ...DEFAULT_SPEC, ...saved };
  }

  /** @throws NoClusterError */
  spec(): ClusterSpec {
    const spec = this.savedSpec();
    if (spec === undefined) throw new NoClusterError(this.layout.dataDirectory);
    return spec;
  }

  /** @throws NoClusterError */
  nodes(): NodeSpec[] {
    return nodesOf(this.spec());
  }

  node(name: string): NodeSpec {
    const nodes = this.nodes();
    const found = nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`there is no node ${name}; there are ${nodes.map((node) => node.name).join(", ")}`);
    return found;
  }

  runningServer(): ProcessIdentity | undefined {
    return readPidFile(this.layout.serverPid);
  }

  runningAgent(name: string): ProcessIdentity | undefined {
    return readPidFile(this.layout.node(name).agentPid);
  }

  runningContainerd(name: string): ProcessIdentity | undefined {
    return readPidFile(this.layout.node(name).containerdPid);
  }

  /** Starts the server unless it runs; it is the caller's to wait for it. */
  startServer(): ProcessIdentity {
    const { serverPid: pidFile, serverConfig } = this.layout;
    return this.#start({ pidFile, config: serverConfig, entry: "server", log: "server", wrap: (command) => [...command] });
  }

  startAgent(node: NodeSpec): ProcessIdentity {
    const { agentPid: pidFile, agentConfig } = this.layout.node(node.name);
    const wrap = (command: readonly string[]) => inNamespace(node, command);
    return this.#start({ pidFile, config: agentConfig, entry: "agent", log: `agent-${node.name}`, ...SMALL, wrap });
  }

  runningHollow(): ProcessIdentity | undefined {
    return readPidFile(this.layout.hollowPid);
  }

  /** Starts the process that plays the hollow nodes. */
  startHollow(): ProcessIdentity {
    const { hollowPid: pidFile, hollowConfig } = this.layout;
    return this.#start({ pidFile, config: hollowConfig, entry: "hollow", log: "hollow", wrap: (command) => [...command] });
  }

  logFile(name: string): string {
    return join(this.layout.logs, `${name}.log`);
  }

  get exists(): boolean {
    return existsSync(this.layout.ledgerFile);
  }

  #start(options: ProcessStart): ProcessIdentity {
    const { pidFile, config } = options;
    this.ledger.record({ type: "process", pidFile, argument: config });
    const running = readPidFile(pidFile);
    if (running !== undefined) return running;
    const node = [
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      ...(options.flags ?? []),
      ENTRY,
      options.entry,
      "--config",
      config,
    ];
    return startDaemon({ command: options.wrap(node), pidFile, logFile: this.logFile(options.log), env: options.env ?? {} });
  }
}

/** There is an agent for each node, and it mostly waits: a small nursery costs it nothing and saves tens of megabytes. */
const SMALL = { flags: ["--max-semi-space-size=4"], env: { MALLOC_ARENA_MAX: "2" } };

interface ProcessStart {
  readonly pidFile: string;
  readonly config: string;
  readonly entry: "server" | "agent" | "hollow";
  readonly log: string;
  /** For Node itself. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  wrap(command: readonly string[]): string[];
}
