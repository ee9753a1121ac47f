// The agent process: `k8ts agent --config file`. Node, proxy and DNS of one node are put together here.
import { readFileSync } from "node:fs";
import { Gauge, Registry } from "prom-client";
import { parse } from "yaml";
import { resources, type UserInfo } from "../../api/index.ts";
import { type Client, fromKubeconfig, HttpClient, parseKubeconfig, SharedInformers } from "../../client/index.ts";
import {
  CriRuntime,
  DEFAULT_CONFIGURATION,
  DEFAULT_HARD,
  detectHierarchy,
  diskCgroups,
  diskFiles,
  diskReport,
  HostCgroups,
  HostMeter,
  HostMounter,
  HostProber,
  HostVolumeManager,
  hostUsage,
  type KubeletConfiguration,
  keptForEviction,
  kubeletConfiguration,
  LocalPathVolumes,
  LogRotator,
  localPathKeeper,
  type MachineInfo,
  NodeAgent,
  NodeServer,
  ObjectCache,
  PodCertificates,
  ProbeCounts,
  TrustBundles,
} from "../../node/index.ts";
import type { AgentConfig } from "../config/process-config.ts";
import { BANDWIDTH_HANDLERS, PAUSE_IMAGE } from "../containerd/config.ts";
import { imageMounter } from "../containerd/images.ts";
import { isImageLoaded } from "../images/loaded-images.ts";
import { SystemClock, SystemRandom } from "../system/clock.ts";
import { createLogger } from "../system/logger.ts";
import { collectProcessMetrics } from "../system/process-metrics.ts";
import { stopSignal } from "../system/signals.ts";
import type { AgentContext } from "./context.ts";
import { garbageCollector, HeapTidier } from "./heap-tidier.ts";
import { machineInfo } from "./machine.ts";
import { MachineStop } from "./machine-stop.ts";
import { runNetwork } from "./network.ts";

/** Runs until the process is asked to stop. */
export async function agentMain(configFile: string): Promise<void> {
  const config = JSON.parse(readFileSync(configFile, "utf8")) as AgentConfig;
  const logger = createLogger({ name: "agent", level: config.logLevel }).child({ node: config.nodeName });
  const machineStop = new MachineStop(stopSignal(), logger);
  const { signal } = machineStop;
  const kubelet = kubeletOf(config);
  const context: AgentContext = { config, kubelet, machineStop, clock: new SystemClock(), random: new SystemRandom(), logger, signal };
  logger.info("running", { address: config.nodeAddress, podCidr: config.podCidr });
  await runNode(context);
  logger.info("stopped", { reason: String(context.signal.reason) });
}

function kubeletOf({ kubeletConfigFile }: AgentConfig): KubeletConfiguration {
  return kubeletConfigFile === undefined ? DEFAULT_CONFIGURATION : kubeletConfiguration(parse(readFileSync(kubeletConfigFile, "utf8")));
}

async function runNode(context: AgentContext): Promise<void> {
  const { config, clock, random, logger, signal } = context;
  const { options } = fromKubeconfig(parseKubeconfig(readFileSync(config.kubeconfig, "utf8")), {
    readFile: (path) => readFileSync(path, "utf8"),
  });
  const client = new HttpClient({ ...options, userAgent: "k8ts-agent", clock });
  const informers = new SharedInformers({ client, clock, random, logger });
  const runtime = new CriRuntime({ socketPath: config.runtimeSocket, clock, logger });
  const volumes = new LocalPathVolumes(config.localPathDirectory);
  const localPaths = localPathKeeper({ client, informers, volumes, hostname: config.nodeName, clock, logger });
  const machine = machineInfo({ storagePath: config.kubeletDirectory, nodeName: config.nodeName });
  const imageDir = await runtime.imageDirectory().catch(() => config.kubeletDirectory);
  const reserved = reservedOf(context.kubelet, machine);
  const cgroups = await hostCgroups(context, machine, reserved);
  const meter = new HostMeter({ runtime, cgroups, rootDir: config.kubeletDirectory, logDir: config.podLogDirectory, imageDir });
  const parts = { client, runtime, machine, meter, reserved, cgroups, probeCounts: new ProbeCounts() };
  const agent = makeAgent(context, { ...parts, informers });
  if (context.kubelet.shutdown.length > 0) context.machineStop.beforeShutdown(() => agent.shutDown(signal));
  tidyHeap(context, informers);
  const server = makeServer(context, { ...parts, agent });
  await server.listen(config.kubeletPort, config.nodeAddress);
  try {
    const rotator = new LogRotator({ runtime, clock, logger });
    await Promise.all([agent.run(signal), runNetwork(context, informers), rotator.run(signal), localPaths.run(signal)]);
  } finally {
    await server.close();
    runtime.close();
    client.close();
  }
}

/** The node's pods tell when it is busy. */
function tidyHeap({ config, clock }: AgentContext, informers: SharedInformers): void {
  const tidier = new HeapTidier({ clock, used: () => process.memoryUsage().heapUsed, collect: garbageCollector() });
  const stir = () => tidier.stir();
  const ofThisNode = { fieldSelector: `spec.nodeName=${config.nodeName}` };
  informers.informer(resources.pods, ofThisNode).onChange({ added: stir, updated: stir, deleted: stir });
}

interface NodeParts {
  readonly client: Client;
  readonly runtime: CriRuntime;
  readonly machine: MachineInfo;
  readonly meter: HostMeter;
  /** What is kept back from pods, in bytes by resource. */
  readonly reserved: ReturnType<typeof reservedOf>;
  readonly cgroups: HostCgroups;
  readonly probeCounts: ProbeCounts;
}

function reservedOf({ eviction }: KubeletConfiguration, machine: MachineInfo) {
  const kept = keptForEviction(eviction, machine);
  const hugePageBytes = Object.values(machine.hugePages ?? {}).reduce((sum, bytes) => sum + bytes, 0);
  return { ...kept, memory: kept.memory + hugePageBytes };
}

async function hostCgroups({ config, kubelet, clock, logger }: AgentContext, machine: MachineInfo, reserved: { readonly memory: number }) {
  return new HostCgroups({
    hierarchy: await detectHierarchy(diskCgroups),
    root: config.cgroupRoot.replace(/^\//, ""),
    milliCpus: machine.cpus * 1000,
    memoryBytes: machine.memoryBytes - reserved.memory,
    ...(kubelet.podPidsLimit === undefined ? {} : { podPidsLimit: kubelet.podPidsLimit }),
    clock,
    logger,
  });
}

function makeAgent(
  { config, kubelet, clock, random, logger }: AgentContext,
  parts: NodeParts & { readonly informers: SharedInformers },
): NodeAgent {
  const { client, informers, runtime, machine, meter, reserved, cgroups, probeCounts } = parts;
  const objects = new ObjectCache(client, clock);
  const memoryBytes = machine.memoryBytes - reserved.memory;
  // As the node object says it, in whole kibibytes.
  const allocatable = () => ({ cpu: String(machine.cpus), memory: `${Math.floor(memoryBytes / 1024)}Ki` });
  const trustBundles = new TrustBundles(informers);
  const certificates = new PodCertificates({ client, informers, clock, random, logger, nodeName: config.nodeName });
  const volumes = new HostVolumeManager({
    rootDir: config.kubeletDirectory,
    mounter: new HostMounter(),
    objects,
    trustBundles,
    certificates,
    images: imageMounter(config.runtimeSocket),
    client,
    allocatable,
    clock,
    random,
    pid: process.pid,
  });
  const isLoaded = (image: string) => isImageLoaded(config.loadedImagesFile, image);
  return new NodeAgent({
    client,
    informers,
    runtime,
    volumes,
    prober: new HostProber({ runtime, clock }),
    probeCounts,
    cgroups,
    files: diskFiles,
    followsContent: true,
    contentSources: [trustBundles, certificates],
    objects,
    clock,
    random,
    logger,
    nodeName: config.nodeName,
    nodeIps: [config.nodeAddress, ...(config.ipv6 === undefined ? [] : [config.ipv6.nodeAddress])],
    podCidrs: [config.podCidr, ...(config.ipv6 === undefined ? [] : [config.ipv6.podCidr])],
    kubeletPort: config.kubeletPort,
    annotations: { "k8ts.dev/local-path-root": config.localPathDirectory },
    machine,
    reserved,
    ...(kubelet.maxPods === undefined ? {} : { maxPods: kubelet.maxPods }),
    shutdownPeriods: kubelet.shutdown,
    pullVerification: kubelet.pullVerification,
    clusterDns: [config.clusterDns],
    clusterDomain: config.clusterDomain,
    rootDir: config.kubeletDirectory,
    manifestDirectory: config.manifestDirectory,
    logDir: config.podLogDirectory,
    resolvConf: config.resolvConf,
    bandwidthHandlers: BANDWIDTH_HANDLERS,
    isImageLoaded: isLoaded,
    housekeeping: {
      meter,
      eviction: kubelet.eviction,
      isImageKept: ({ repoTags }) => repoTags.some((tag) => tag === PAUSE_IMAGE || isLoaded(tag)),
    },
  });
}

function makeServer(
  { config, kubelet, clock, logger }: AgentContext,
  { client, runtime, machine, meter, probeCounts, agent }: NodeParts & { readonly agent: NodeAgent },
): NodeServer {
  const metrics = new Registry();
  collectProcessMetrics(metrics);
  registerNodeMetrics(metrics, agent, config.nodeName);
  return new NodeServer({
    nodeName: config.nodeName,
    runtime,
    pods: agent.pods,
    tls: {
      cert: readFileSync(config.serving.certificateFile, "utf8"),
      key: readFileSync(config.serving.privateKeyFile, "utf8"),
      clientCa: readFileSync(config.caFile, "utf8"),
    },
    authorize: (user, verb, subresource) => isAllowed(client, user, { verb, subresource, name: config.nodeName }),
    metrics,
    nodeUsage: () => hostUsage(clock),
    measureDisks: (pods) => diskReport(meter, pods, clock.now()),
    machine,
    probeCounts,
    configuration: shownConfiguration(config, kubelet),
    isSyncing: () => agent.isSyncing,
    clock,
    logger,
  });
}

function registerNodeMetrics(metrics: Registry, agent: NodeAgent, nodeName: string): void {
  const registers = [metrics];
  new Gauge({ name: "kubelet_node_name", help: "The node's name. The count is always 1.", labelNames: ["node"], registers }).set(
    { node: nodeName },
    1,
  );
  new Gauge({
    name: "kubelet_running_pods",
    help: "Number of pods that have a running pod sandbox",
    registers,
    collect() {
      this.set(agent.pods.list().filter(({ metadata }) => agent.pods.worker(metadata.uid ?? "")?.state === "running").length);
    },
  });
}

/** What `/configz` shows: the settings that differ from node to node or that people look for. */
function shownConfiguration(config: AgentConfig, kubelet: KubeletConfiguration): Readonly<Record<string, unknown>> {
  return {
    kind: "KubeletConfiguration",
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    address: config.nodeAddress,
    port: config.kubeletPort,
    staticPodPath: config.manifestDirectory,
    clusterDomain: config.clusterDomain,
    clusterDNS: [config.clusterDns],
    podCIDR: config.podCidr,
    resolvConf: config.resolvConf,
    cgroupDriver: "cgroupfs",
    cgroupRoot: config.cgroupRoot,
    maxPods: kubelet.maxPods ?? 110,
    podPidsLimit: kubelet.podPidsLimit ?? -1,
    evictionHard: kubelet.eviction.evictionHard ?? DEFAULT_HARD,
    imagePullCredentialsVerificationPolicy: kubelet.pullVerification.policy,
    containerRuntimeEndpoint: `unix://${config.runtimeSocket}`,
  };
}

/** Asks the API server, as kubelet's webhook mode does. */
async function isAllowed(
  client: Client,
  user: UserInfo,
  question: { readonly verb: string; readonly subresource: string; readonly name: string },
): Promise<boolean> {
  const spec = { user: user.name, groups: [...user.groups], resourceAttributes: { ...question, version: "v1", resource: "nodes" } };
  const review = await client.create(resources.subjectaccessreviews, { metadata: {}, spec });
  return review.status?.allowed === true;
}
