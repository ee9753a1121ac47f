// A node whose containers live in memory: the real agent over the simulated runtime.
import { containerKey, type NodeUsage, type UsageSample } from "../apiserver/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { Client } from "../client/index.ts";
import { MemoryFiles, NodeAgent, SimulatedProber, SimulatedRuntime, type VolumeManager } from "../node/index.ts";

export interface SimulatedNodeOptions {
  readonly name: string;
  /** Position among the nodes, from 1; address and pod network follow from it. */
  readonly index: number;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly cpus?: number;
  readonly memoryBytes?: number;
}

/** No container reads them, so volumes are names of paths and no more. */
const nominalVolumes: VolumeManager = {
  mountPod: async (pod) => new Map((pod.spec?.volumes ?? []).map(({ name }) => [name, `/volumes/${name}`])),
  subPath: async (_pod, volumeName, subPath) => `/volumes/${volumeName}/${subPath}`,
  update: async () => {},
  unmountPod: async () => {},
  listPods: async () => [],
};

export interface SimulatedNode {
  /** Works until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** What its containers have used so far; the node itself uses their sum. */
  usage(): Promise<NodeUsage>;
}

export function simulatedNode(options: SimulatedNodeOptions): SimulatedNode {
  const { name, index, client, clock, random, logger, cpus = 4, memoryBytes = 8 * 2 ** 30 } = options;
  const podCidr = `10.${244 + (index >> 8)}.${index & 255}.0/24`;
  const runtime = new SimulatedRuntime({ clock, random, podCidr: () => podCidr });
  const agent = new NodeAgent({
    client,
    runtime,
    volumes: nominalVolumes,
    prober: new SimulatedProber(runtime),
    files: new MemoryFiles(),
    clock,
    random,
    logger,
    nodeName: name,
    nodeIps: [`10.199.${index >> 8}.${index & 255}`],
    podCidrs: [podCidr],
    kubeletPort: 10250,
    machine: {
      cpus,
      memoryBytes,
      kernel: "6.1.0",
      osImage: "simulated",
      bootId: name,
      machineId: name,
      systemUuid: name,
      architecture: "amd64",
    },
    clusterDns: ["10.96.0.10"],
    clusterDomain: "cluster.local",
  });
  return { run: (signal) => agent.run(signal), usage: () => usageOf(runtime, clock.now()) };
}

async function usageOf(runtime: SimulatedRuntime, timestampMs: number): Promise<NodeUsage> {
  const pods = new Map((await runtime.listPods()).map((pod) => [pod.uid, pod]));
  const containers = new Map<string, UsageSample>();
  let [cpuSeconds, memoryBytes] = [0, 0];
  for (const usage of await runtime.usage()) {
    const { namespace = "", name = "" } = pods.get(usage.podUid) ?? {};
    const sample = {
      timestampMs: usage.timestampMs,
      cpuSeconds: usage.cpuUsageCoreNanoSeconds / 1e9,
      memoryBytes: usage.memoryWorkingSetBytes,
    };
    containers.set(containerKey(namespace, name, usage.containerName), sample);
    cpuSeconds += sample.cpuSeconds;
    memoryBytes += sample.memoryBytes;
  }
  return { node: { timestampMs, cpuSeconds, memoryBytes }, containers };
}
