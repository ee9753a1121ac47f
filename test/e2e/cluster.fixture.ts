// A real cluster for the end-to-end tests: `k8ts up` in directories of its own, real kubectl, real containers.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectlDirectory } from "../../src/cmd/kubectl/kubectl.ts";
import { makeImages } from "../images/make-images.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const PORT = 16443;
const DEFAULT_TIMEOUT_MS = 60_000;

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, whatever that is. */
export function run(
  command: string,
  args: readonly string[],
  { env = {}, input = "" }: { env?: Record<string, string>; input?: string } = {},
): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20, timeout: 120_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 128;
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

export interface UpOptions {
  readonly nodes?: number;
  readonly hollowNodes?: number;
  /** More words for `k8ts up`. */
  readonly options?: readonly string[];
}

/** The variable that names the directory of the cluster that the files below shared/ have together. */
export const SHARED_DIRECTORY = "K8TS_E2E_SHARED";
/** The node of that cluster which is stopped and started; nothing runs there that does not ask for it. */
export const RESERVED_NODE = "node-3";
export const RESERVED_TAINT = "k8ts.dev/reserved";
const SHARED_OPTIONS: UpOptions = {
  nodes: 3,
  options: ["--load-balancer-pool", "198.51.100.0/29", "--audit-policy", join(import.meta.dirname, "shared/audit-policy.json")],
};

export class Cluster implements AsyncDisposable {
  readonly #directory: string;
  readonly #isShared: boolean;
  /** Where kubectl works when nothing else is said. */
  readonly namespace: string;
  #bin = "";

  private constructor(directory: string, namespace = "default") {
    this.#directory = directory;
    this.namespace = namespace;
    this.#isShared = namespace !== "default";
  }

  /** The shared cluster, with kubectl in a namespace that is made for one file; in a run of that file alone a cluster of its own. */
  static async shared(namespace: string): Promise<Cluster> {
    const directory = process.env[SHARED_DIRECTORY];
    if (directory === undefined) return Cluster.upToShare();
    const cluster = new Cluster(directory, namespace);
    cluster.#bin = join(directory, "bin");
    const all = join(cluster.dataDirectory, "kubeconfig");
    copyFileSync(all, cluster.kubeconfig);
    await cluster.kubectl("config", "set-context", "--current", `--namespace=${namespace}`);
    await cluster.kubectl("create", "namespace", namespace);
    await eventually("its account is there", async () => (await cluster.tryKubectl(["get", "serviceaccount", "default"])).code === 0);
    return cluster;
  }

  static async upToShare(): Promise<Cluster> {
    const cluster = await Cluster.up(SHARED_OPTIONS);
    await cluster.kubectl("taint", "node", RESERVED_NODE, `${RESERVED_TAINT}=:NoSchedule`);
    return cluster;
  }

  /** Brings a cluster up and loads the test images; a cluster that is there already is left alone. */
  static async up({ nodes = 1, hollowNodes = 0, options = [] }: UpOptions = {}): Promise<Cluster> {
    if (existsSync("/sys/class/net/k8ts0")) throw new Error("a cluster is running on this machine; take it down first with ./k8ts down");
    const cluster = new Cluster(mkdtempSync(join(tmpdir(), "k8ts-e2e-")));
    try {
      await cluster.k8ts("up", "--nodes", `${nodes}`, "--hollow-nodes", `${hollowNodes}`, "--port", `${PORT}`, ...options);
      cluster.#bin = (await kubectlDirectory(join(cluster.#directory, "bin"))) ?? "";
      const images = await makeImages(join(ROOT, ".cache/images"));
      await cluster.k8ts("image", "load", ...Object.values(images));
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get directory(): string {
    return this.#directory;
  }

  get dataDirectory(): string {
    return join(this.#directory, "data");
  }

  get runDirectory(): string {
    return join(this.#directory, "run");
  }

  get kubeconfig(): string {
    return this.#isShared ? join(this.#directory, `kubeconfig-${this.namespace}`) : join(this.dataDirectory, "kubeconfig");
  }

  get server(): string {
    return `https://127.0.0.1:${PORT}`;
  }

  /** Runs `./k8ts`; rejects when it fails. */
  async k8ts(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryK8ts(command, ...args);
    if (code !== 0) throw new Error(`k8ts ${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  tryK8ts(command: string, ...args: string[]): Promise<Result> {
    return run(join(ROOT, "k8ts"), [command, ...args, "--data-dir", this.dataDirectory, "--run-dir", this.runDirectory]);
  }

  /** Runs kubectl; rejects when it fails. Answers what it printed. */
  async kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  tryKubectl(args: readonly string[], input = "", env: Readonly<Record<string, string>> = {}): Promise<Result> {
    return run(join(this.#bin, "kubectl"), args, { env: { KUBECONFIG: this.kubeconfig, ...env }, input });
  }

  /** Starts a kubectl that goes on running. */
  startKubectl(...args: string[]): ChildProcess {
    return spawn(join(this.#bin, "kubectl"), args, { env: { ...process.env, KUBECONFIG: this.kubeconfig } });
  }

  async apply(manifest: object): Promise<void> {
    const { code, stderr } = await this.tryKubectl(["apply", "-f", "-"], JSON.stringify(manifest));
    if (code !== 0) throw new Error(`kubectl apply: ${stderr}`);
  }

  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl("get", ...args, "-o", "json")) as T;
  }

  /** The process id in a pid file of the run directory, such as `server.pid`. */
  pid(file: string): number {
    return (JSON.parse(readFileSync(join(this.runDirectory, file), "utf8")) as { pid: number }).pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isShared) return;
    if (process.env["K8TS_E2E_LOGS"] !== undefined) {
      for (const log of ["server", "agent-node-1"])
        console.error((await run("tail", ["-n", "30", join(this.dataDirectory, "logs", `${log}.log`)])).stdout);
    }
    await this.tryK8ts("down");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Checks until the check does not throw; rejects with its last error when the time is up. */
export async function eventuallyHolds(what: string, check: () => Promise<void>): Promise<void> {
  await eventually(what, async () => {
    await check();
    return true;
  });
}

/** Asks until the answer is neither undefined, false nor an error; rejects with the last trouble when the time is up. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined | false>, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<T> {
  const endAt = Date.now() + timeoutMs;
  let trouble: unknown = "it was not so";
  while (Date.now() < endAt) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      trouble = error;
    }
    await sleep(200);
  }
  throw new Error(`waited ${timeoutMs} ms for this: ${what}`, { cause: trouble });
}
