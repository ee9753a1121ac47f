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
import { type Layout, layoutOf } from "../src/cmd/config/layout.ts";
import { hollowConfig, serverConfig } from "../src/cmd/config/render.ts";
import { ensureClusterPki } from "../src/cmd/pki/cluster-pki.ts";
import { renderKubeconfig } from "../src/cmd/pki/kubeconfig.ts";
import { SystemClock } from "../src/cmd/system/clock.ts";
import { Connection } from "./connection.ts";
import type { Target } from "./target.ts";

const ENTRY = fileURLToPath(new URL("../src/cmd/k8ts.ts", import.meta.url));
const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;

export interface OwnServer extends AsyncDisposable {
  readonly target: Target;
  readonly pid: number;
  /** Starts a process that plays so many nodes, and answers its pid; it ends with the server. */
  startHollow(nodeCount: number): number;
}

export interface OwnServerOptions {
  /** Where CPU profiles of the processes are written when they stop. */
  readonly profileDirectory?: string;
}

/** Starts a server and waits until it is ready; disposing ends the process and removes its directory. */
export async function startServer({ profileDirectory }: OwnServerOptions = {}): Promise<OwnServer> {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-bench-"));
  const { target, layout, writeHollow } = await configure(directory);
  const logFile = join(directory, "server.log");
  const log = openSync(logFile, "a");
  const profiling = profileDirectory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`];
  const children: ChildProcess[] = [];
  const start = (entry: "server" | "hollow", configFile: string): ChildProcess => {
    const args = ["--disable-warning=ExperimentalWarning", ...profiling, ENTRY, entry, "--config", configFile];
    const child = spawn(process.execPath, args, { stdio: ["ignore", log, log] });
    children.unshift(child);
    return child;
  };
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const interrupted = () => {
    for (const child of children) child.kill("SIGKILL");
    remove();
    process.exit(130);
  };
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, interrupted);
  const stop = async () => {
    for (const child of children) await terminate(child);
    for (const name of ["SIGINT", "SIGTERM"]) process.off(name, interrupted);
    remove();
  };
  const child = start("server", layout.serverConfig);
  try {
    await untilReady(target, child);
  } catch (error) {
    const lines = readFileSync(logFile, "utf8").trim().split("\n").slice(-20).join("\n");
    await stop();
    throw new Error(`the server did not become ready:\n${lines}`, { cause: error });
  }
  const startHollow = (nodeCount: number) => {
    writeHollow(nodeCount);
    return start("hollow", layout.hollowConfig).pid ?? 0;
  };
  return { target, pid: child.pid ?? 0, startHollow, [Symbol.asyncDispose]: stop };
}

interface Configured {
  readonly target: Target;
  readonly layout: Layout;
  /** Writes the configuration of so many hollow nodes. */
  readonly writeHollow: (nodeCount: number) => void;
}

async function configure(directory: string): Promise<Configured> {
  const spec: ClusterSpec = { ...DEFAULT_SPEC, port: await freePort(), logLevel: "error" };
  const layout = layoutOf(join(directory, "data"), join(directory, "run"));
  mkdirSync(join(layout.dataDirectory, "server"), { recursive: true });
  const pki = await ensureClusterPki({ directory: layout.pki, spec, nodes: nodesOf(spec), clock: new SystemClock() });
  const config = { ...serverConfig(spec, layout, pki), listen: ["127.0.0.1"] };
  writeFileSync(layout.serverConfig, JSON.stringify(config));
  const writeHollow = (hollowNodeCount: number) => {
    mkdirSync(dirname(layout.hollowConfig), { recursive: true });
    const client = { server: `https://127.0.0.1:${spec.port}`, caFile: pki.caFile, client: pki.hollow.client, user: "k8ts:hollow-nodes" };
    writeFileSync(layout.hollowKubeconfig, renderKubeconfig(client));
    writeFileSync(layout.hollowConfig, JSON.stringify(hollowConfig({ ...spec, hollowNodeCount }, layout, pki)));
  };
  const read = (file: string) => readFileSync(file, "utf8");
  const { certificateFile, privateKeyFile } = pki.admin;
  const target = { host: "127.0.0.1", port: spec.port, ca: read(pki.caFile), cert: read(certificateFile), key: read(privateKeyFile) };
  return { target, layout, writeHollow };
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

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
  await exited;
  clearTimeout(killer);
}
