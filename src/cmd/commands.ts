// What the commands of `k8ts` do.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { type ClusterSpec, DEFAULT_SPEC, IPV6_NODE_NETWORK, type NodeSpec } from "./config/cluster.ts";
import type { NodeLayout } from "./config/layout.ts";
import type { EtcdFiles } from "./config/process-config.ts";
import { importArchive, listImages } from "./containerd/images.ts";
import { recordLoadedImages } from "./images/loaded-images.ts";
import { kubectlDirectory } from "./kubectl/kubectl.ts";
import { reset as resetCluster } from "./reset/reset.ts";
import { restoreSnapshot, saveSnapshot, verifySnapshot } from "./snapshot/snapshot.ts";
import { migrate } from "./store/migrate.ts";
import { SystemClock } from "./system/clock.ts";
import { stopDaemon } from "./system/processes.ts";
import { stopSignal } from "./system/signals.ts";
import { apiProbeOf } from "./up/api-probe.ts";
import { HostCluster, NoClusterError } from "./up/cluster.ts";
import { bringDown } from "./up/down.ts";
import { plainReporter, terminalReporter } from "./up/reporter.ts";
import { runSteps } from "./up/steps.ts";
import { upSteps } from "./up/up.ts";

export interface CommonOptions {
  readonly dataDir: string;
  readonly runDir: string;
}

export interface UpCommandOptions extends CommonOptions {
  readonly nodes?: number;
  readonly hollowNodes?: number;
  readonly port?: number;
  readonly nodeNetwork?: string;
  readonly podNetwork?: string;
  readonly serviceNetwork?: string;
  readonly logLevel?: string;
  readonly networkPolicy?: boolean;
  readonly loadBalancerPool?: readonly string[];
  readonly nodePortAddresses?: readonly string[];
  readonly schedulerConfig?: string;
  readonly kubeletConfig?: string;
  readonly registries?: string;
  readonly authenticationConfig?: string;
  readonly authorizationConfig?: string;
  readonly auditPolicy?: string;
  readonly store?: string;
  readonly storeCa?: string;
  readonly storeCert?: string;
  readonly storeKey?: string;
  readonly wait: boolean;
}

/** A command that was called in a way it does not have. */
class UsageError extends Error {
  readonly code = "USAGE";
  override readonly name = "UsageError";
}

/** How long an agent may take to end by itself. */
const AGENT_GRACE_MS = 5_000;
/** How long it may take when it ends its pods first: far longer than anybody configures. */
const SHUTDOWN_GRACE_MS = 3_600_000;

function clusterOf(options: CommonOptions): HostCluster {
  return new HostCluster({ dataDirectory: resolve(options.dataDir), runDirectory: resolve(options.runDir), clock: new SystemClock() });
}

export async function up(options: UpCommandOptions): Promise<void> {
  const cluster = clusterOf(options);
  const startedMs = cluster.clock.monotonic();
  const spec = mergeSpec(cluster.savedSpec(), options);
  const warnings: string[] = [];
  const groups = upSteps({ spec, cluster, isWaiting: options.wait, warn: (message) => warnings.push(message) });
  const live = process.stdout.isTTY ? await terminalReporter(groups.flat()) : undefined;
  try {
    await runSteps(groups, { clock: cluster.clock, signal: stopSignal(), reporter: live ?? plainReporter(console.log) });
  } finally {
    await live?.close();
  }
  for (const warning of warnings) console.log(`note: ${warning}`);
  const seconds = ((cluster.clock.monotonic() - startedMs) / 1000).toFixed(1);
  console.log(
    `\nYour cluster is up after ${seconds} s. Use it with:\n\n  eval "$(k8ts env)"\n  kubectl get nodes\n\nRemove it with: k8ts down`,
  );
}

/** What the first `up` decided stays, but for the number of nodes, which may grow, that of hollow ones, the log level and whether policies are enforced. */
function mergeSpec(saved: ClusterSpec | undefined, options: UpCommandOptions): ClusterSpec {
  const { nodes, hollowNodes, port, nodeNetwork, podNetwork, serviceNetwork, logLevel, networkPolicy, schedulerConfig, loadBalancerPool } =
    options;
  const wanted: Partial<ClusterSpec> = {
    ...(nodes === undefined ? {} : { nodeCount: nodes }),
    ...(hollowNodes === undefined ? {} : { hollowNodeCount: hollowNodes }),
    ...(port === undefined ? {} : { port }),
    ...(nodeNetwork === undefined ? {} : { nodeNetwork }),
    ...podAndServiceNetworks(podNetwork, serviceNetwork),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(networkPolicy === undefined ? {} : { networkPolicy }),
    ...(loadBalancerPool === undefined ? {} : { loadBalancerPool }),
    ...(options.nodePortAddresses === undefined ? {} : { nodePortNetworks: options.nodePortAddresses }),
    ...(schedulerConfig === undefined ? {} : { schedulerConfigFile: resolve(schedulerConfig) }),
    ...(options.kubeletConfig === undefined ? {} : { kubeletConfigFile: resolve(options.kubeletConfig) }),
    ...(options.registries === undefined ? {} : { registriesFile: resolve(options.registries) }),
    ...(options.authenticationConfig === undefined ? {} : { authenticationConfigFile: resolve(options.authenticationConfig) }),
    ...(options.authorizationConfig === undefined ? {} : { authorizationConfigFile: resolve(options.authorizationConfig) }),
    ...(options.auditPolicy === undefined ? {} : { auditPolicyFile: resolve(options.auditPolicy) }),
  };
  const etcd = etcdOf(options) ?? saved?.etcd;
  const spec: ClusterSpec = { ...(saved ?? DEFAULT_SPEC), ...wanted, ...(etcd === undefined ? {} : { etcd }) };
  if (saved === undefined) return spec;
  for (const key of ["port", "nodeNetwork", "podNetwork", "serviceNetwork", "loadBalancerPool", "ipv6"] as const) {
    if (JSON.stringify(spec[key]) !== JSON.stringify(saved[key]))
      throw new UsageError(`the cluster was made with ${key} ${JSON.stringify(saved[key])}; run k8ts down before changing it`);
  }
  if (spec.etcd?.url !== saved.etcd?.url)
    throw new UsageError(`the cluster is kept in ${saved.etcd?.url ?? "its data directory"}; move it with k8ts store migrate`);
  if (spec.nodeCount < saved.nodeCount)
    throw new UsageError(`the cluster has ${saved.nodeCount} nodes; run k8ts down before taking some away`);
  return spec;
}

/** Either option is one network, or an IPv4 and an IPv6 one with a comma between: then both have to be. */
function podAndServiceNetworks(pods: string | undefined, services: string | undefined): Partial<ClusterSpec> {
  const [podNetwork, podNetwork6] = pods?.split(",") ?? [];
  const [serviceNetwork, serviceNetwork6] = services?.split(",") ?? [];
  if ((podNetwork6 === undefined) !== (serviceNetwork6 === undefined))
    throw new UsageError("for two IP families both --pod-network and --service-network have to be two networks, IPv4 first");
  const isDual = podNetwork6 !== undefined && serviceNetwork6 !== undefined;
  return {
    ...(podNetwork === undefined ? {} : { podNetwork }),
    ...(serviceNetwork === undefined ? {} : { serviceNetwork }),
    ...(isDual ? { ipv6: { nodeNetwork: IPV6_NODE_NETWORK, podNetwork: podNetwork6, serviceNetwork: serviceNetwork6 } } : {}),
  };
}

function etcdOf({ store, storeCa, storeCert, storeKey }: UpCommandOptions): EtcdFiles | undefined {
  if (store === undefined) return undefined;
  return {
    url: store,
    ...(storeCa === undefined ? {} : { caFile: storeCa }),
    ...(storeCert === undefined ? {} : { certificateFile: storeCert }),
    ...(storeKey === undefined ? {} : { privateKeyFile: storeKey }),
  };
}

export async function down(options: CommonOptions & { readonly keepData?: boolean }): Promise<void> {
  await bringDown(clusterOf(options), { isKeepingData: options.keepData === true });
}

export async function reset(options: CommonOptions & { readonly check?: boolean }): Promise<void> {
  const found = await resetCluster(clusterOf(options));
  if (options.check !== true) return;
  if (found === undefined) {
    console.log("there was no cluster, so it is not known what the host was like before");
    return;
  }
  for (const line of found) console.log(line);
  if (found.length === 0) console.log("the host is as it was before the first up");
  else process.exitCode = 1;
}

export async function status(options: CommonOptions): Promise<void> {
  const cluster = clusterOf(options);
  const spec = cluster.spec();
  const state = (process: { readonly pid: number } | undefined) => (process === undefined ? "stopped" : `running, pid ${process.pid}`);
  console.log(`server      ${state(cluster.runningServer())}, port ${spec.port}`);
  if (spec.hollowNodeCount > 0) console.log(`hollow      ${state(cluster.runningHollow())}, ${spec.hollowNodeCount} nodes`);
  const ready = cluster.runningServer() === undefined ? undefined : await apiProbeOf(spec.port, cluster.layout.pki).readyNodes();
  for (const { name, address } of cluster.nodes()) {
    console.log(`${name.padEnd(12)}${address}, ${ready?.has(name) === true ? "Ready" : "not Ready"}`);
    console.log(`  agent       ${state(cluster.runningAgent(name))}`);
    console.log(`  containerd  ${state(cluster.runningContainerd(name))}`);
  }
  if (ready === undefined) process.exitCode = 1;
}

export async function env(options: CommonOptions): Promise<void> {
  const { layout } = existing(options);
  console.log(`export KUBECONFIG=${quote(layout.kubeconfig)}`);
  const directory = await kubectlDirectory(layout.bin);
  if (directory !== undefined) console.log(`export PATH=${quote(directory)}:"$PATH"`);
}

export async function kubeconfig(options: CommonOptions): Promise<void> {
  process.stdout.write(readFileSync(existing(options).layout.kubeconfig));
}

export async function kubectl(args: readonly string[], options: CommonOptions): Promise<void> {
  const { layout } = existing(options);
  const directory = await kubectlDirectory(layout.bin);
  const path = directory === undefined ? process.env["PATH"] : `${directory}${delimiter}${process.env["PATH"]}`;
  const child = spawn("kubectl", args, { stdio: "inherit", env: { ...process.env, PATH: path, KUBECONFIG: layout.kubeconfig } });
  process.exitCode = await new Promise<number>((resolve) => {
    child.once("error", (error) => {
      console.error(`k8ts: kubectl cannot be started: ${error.message}`);
      resolve(127);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
}

export async function image(verb: string, archives: readonly string[], options: CommonOptions): Promise<void> {
  const cluster = existing(options);
  const running = cluster.nodes().filter((node) => cluster.runningContainerd(node.name) !== undefined);
  if (running.length === 0) throw new UsageError("no node is running; start them with k8ts up");
  const socketOf = (node: NodeSpec) => cluster.layout.node(node.name).containerdSocket;
  if (verb === "list") return printImages(running, socketOf);
  if (verb !== "load" || archives.length === 0) throw new UsageError("usage: k8ts image load <archive…> | k8ts image list");
  for (const archive of archives) {
    if (!existsSync(archive)) throw new UsageError(`${archive} does not exist`);
    const names = await Promise.all(running.map((node) => loadArchive(cluster.layout.node(node.name), archive)));
    for (const name of new Set(names.flat())) console.log(name);
  }
}

async function loadArchive({ containerdSocket, loadedImages }: NodeLayout, archive: string): Promise<string[]> {
  const names = await importArchive(containerdSocket, archive);
  recordLoadedImages(loadedImages, names);
  return names;
}

async function printImages(nodes: readonly NodeSpec[], socketOf: (node: NodeSpec) => string): Promise<void> {
  for (const node of nodes) {
    for (const row of await listImages(socketOf(node))) console.log(`${node.name.padEnd(10)} ${row.size.padStart(10)}  ${row.reference}`);
  }
}

export async function snapshot(verb: string, file: string, options: CommonOptions): Promise<void> {
  const path = resolve(file);
  if (verb === "save") {
    const cluster = existing(options);
    const { count, revision } = await saveSnapshot(path, { layout: cluster.layout, spec: cluster.spec(), clock: cluster.clock });
    console.log(`saved ${count} objects at revision ${revision} in ${file}; it holds the cluster's keys: keep it as safe as those`);
  } else if (verb === "verify") {
    const { count, revision, takenAt } = await verifySnapshot(path);
    console.log(`${file} is whole: ${count} objects at revision ${revision}, taken at ${takenAt}`);
  } else if (verb === "restore") {
    const { count } = await restoreSnapshot(path, clusterOf(options).layout);
    console.log(`restored ${count} objects; bring the cluster up with k8ts up`);
  } else throw new UsageError("usage: k8ts snapshot save|verify|restore <file>");
}

export async function storeMigrate(target: string, options: UpCommandOptions): Promise<void> {
  const cluster = existing(options);
  const etcd = target === "lmdb" ? undefined : etcdOf({ ...options, store: target });
  const left = cluster.spec().etcd;
  const count = await migrate(cluster, etcd);
  console.log(`moved ${count} objects`);
  if (left !== undefined) console.log(`note: what was in ${left.url} is still there`);
  const { dataDir, runDir } = options;
  await up({ dataDir, runDir, wait: true });
}

export async function node(action: { readonly verb: string; readonly name: string }, options: CommonOptions): Promise<void> {
  const cluster = existing(options);
  const target = cluster.node(action.name);
  const { agentPid } = cluster.layout.node(target.name);
  const { clock } = cluster;
  if (action.verb === "start") cluster.startAgent(target);
  else if (action.verb === "stop") await stopDaemon(agentPid, { clock, graceMs: AGENT_GRACE_MS });
  else if (action.verb === "shutdown") await stopDaemon(agentPid, { clock, graceMs: SHUTDOWN_GRACE_MS, by: "SIGPWR" });
  else throw new UsageError("usage: k8ts node stop|start|shutdown <name>");
}

export function version(): void {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };
  console.log(`k8ts ${version}\nKubernetes 1.36\nNode ${process.versions.node}`);
}

/** @throws NoClusterError */
function existing(options: CommonOptions): HostCluster {
  const cluster = clusterOf(options);
  if (cluster.savedSpec() === undefined) throw new NoClusterError(cluster.layout.dataDirectory);
  return cluster;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
