// A k8ts server of the benchmark's own: certificates and configuration in a temporary directory, a process of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ClusterSpec, DEFAULT_SPEC, nodesOf } from "../src/cmd/config/cluster.ts";
import { layoutOf } from "../src/cmd/config/layout.ts";
import { hollowConfig, serverConfig } from "../src/cmd/config/render.ts";
import { ensureClusterPki } from "../src/cmd/pki/cluster-pki.ts";
import { renderKubeconfig } from "../src/cmd/pki/kubeconfig.ts";
import { SystemClock } from "../src/cmd/system/clock.ts";
import { Connection } from "./connection.ts";
import type { Target } from "./target.ts";

const ENTRY = fileURLToPath(new URL("../src/cmd/k8ts.ts", import.meta.url));
const COMPILE_CACHE = fileURLToPath(new URL("../.cache/node-compile", import.meta.url));
const READY_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 10_000;

export interface OwnServerOptions {
  /** Where CPU profiles of the server and of its hollow nodes are written when they stop. */
  readonly profileDirectory?: string | undefined;
  /** `etcd://…`; default: an LMDB store of its own. */
  readonly etcdUrl?: string | undefined;
}

/** A server that was started; disposing ends the process and removes its directory. */
export class OwnServer implements AsyncDisposable {
  readonly target: Target;
  readonly #directory: string;
  readonly #configured: Configured;
  /** For Node, before the entry point. */
  readonly #flags: readonly string[];
  #child: ChildProcess;
  #hollow: ChildProcess | undefined;
  readonly #interrupted = () => {
    this.#hollow?.kill("SIGKILL");
    this.#child.kill("SIGKILL");
    this.#remove();
    process.exit(130);
  };

  private constructor(directory: string, configured: Configured, flags: readonly string[]) {
    this.#directory = directory;
    this.#configured = configured;
    this.target = configured.target;
    this.#flags = flags;
    this.#child = this.#spawn("server", configured.configFile);
    for (const name of ["SIGINT", "SIGTERM"]) process.once(name, this.#interrupted);
  }

  /** Starts a server and waits until it is ready. */
  static async start({ profileDirectory, etcdUrl }: OwnServerOptions): Promise<OwnServer> {
    const directory = mkdtempSync(join(tmpdir(), "k8ts-bench-"));
    const configured = await configure(directory, etcdUrl);
    const profiling = profileDirectory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`];
    const server = new OwnServer(directory, configured, ["--disable-warning=ExperimentalWarning", ...profiling]);
    await server.#ready();
    return server;
  }

  /** Its LMDB store, to be opened while it is stopped. */
  get storeFile(): string {
    return join(layoutIn(this.#directory).serverData, "data.mdb");
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Ends the process; `startAgain` starts another one on the same data. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void> {
    return terminate(this.#child, signal);
  }

  /** Starts it again on what it has stored, and waits until it is ready. */
  async startAgain(): Promise<void> {
    this.#child = this.#spawn("server", this.#configured.configFile);
    await this.#ready();
  }

  /** Starts a process that plays so many nodes, and answers its pid; it ends before the server. */
  startHollow(nodeCount: number): number {
    this.#hollow = this.#spawn("hollow", this.#configured.writeHollow(nodeCount));
    return this.#hollow.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hollow !== undefined) await terminate(this.#hollow);
    await this.stop();
    for (const name of ["SIGINT", "SIGTERM"]) process.off(name, this.#interrupted);
    this.#remove();
  }

  #spawn(entry: "server" | "hollow", configFile: string): ChildProcess {
    const log = openSync(this.#logFile, "a");
    // As ./k8ts does it.
    const env = { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env };
    const args = [...this.#flags, ENTRY, entry, "--config", configFile];
    return spawn(process.execPath, args, { stdio: ["ignore", log, log], env });
  }

  async #ready(): Promise<void> {
    try {
      await untilReady(this.target, this.#child);
    } catch (error) {
      const lines = readFileSync(this.#logFile, "utf8").trim().split("\n").slice(-20).join("\n");
      await this[Symbol.asyncDispose]();
      throw new Error(`the server did not become ready:\n${lines}`, { cause: error });
    }
  }

  get #logFile(): string {
    return join(this.#directory, "server.log");
  }

  #remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

interface Configured {
  readonly target: Target;
  readonly configFile: string;
  /** Writes the configuration of so many hollow nodes and answers its file. */
  readonly writeHollow: (nodeCount: number) => string;
}

function layoutIn(directory: string) {
  return layoutOf(join(directory, "data"), join(directory, "run"));
}

async function configure(directory: string, etcdUrl: string | undefined): Promise<Configured> {
  const etcd = etcdUrl === undefined ? {} : { etcd: { url: etcdUrl } };
  const spec: ClusterSpec = { ...DEFAULT_SPEC, ...etcd, port: await freePort(), logLevel: "error" };
  const layout = layoutIn(directory);
  mkdirSync(join(layout.dataDirectory, "server"), { recursive: true });
  const pki = await ensureClusterPki({ directory: layout.pki, spec, nodes: nodesOf(spec), clock: new SystemClock() });
  const config = { ...serverConfig(spec, layout, pki), listen: ["127.0.0.1"] };
  writeFileSync(layout.serverConfig, JSON.stringify(config));
  const writeHollow = (hollowNodeCount: number) => {
    mkdirSync(dirname(layout.hollowConfig), { recursive: true });
    const client = { server: `https://127.0.0.1:${spec.port}`, caFile: pki.caFile, client: pki.hollow.client, user: "k8ts:hollow-nodes" };
    writeFileSync(layout.hollowKubeconfig, renderKubeconfig(client));
    writeFileSync(layout.hollowConfig, JSON.stringify(hollowConfig({ ...spec, hollowNodeCount }, layout, pki)));
    return layout.hollowConfig;
  };
  const read = (file: string) => readFileSync(file, "utf8");
  const { certificateFile, privateKeyFile } = pki.admin;
  const target = { host: "127.0.0.1", port: spec.port, ca: read(pki.caFile), cert: read(certificateFile), key: read(privateKeyFile) };
  return { target, configFile: layout.serverConfig, writeHollow };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function untilReady(target: Target, child: ChildProcess): Promise<void> {
  const endAt = performance.now() + READY_WITHIN_MS;
  while (performance.now() < endAt && child.exitCode === null) {
    if (await isReady(target)) return;
    await sleep(20);
  }
  throw new Error(child.exitCode === null ? "it took too long" : `it exited with ${child.exitCode}`);
}

async function isReady(target: Target): Promise<boolean> {
  try {
    const connection = await Connection.open(target);
    const { status } = await connection.send({ method: "GET", path: "/readyz" });
    connection.close();
    return status === 200;
  } catch {
    return false;
  }
}

async function terminate(child: ChildProcess, signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  const killer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
  await exited;
  clearTimeout(killer);
}
