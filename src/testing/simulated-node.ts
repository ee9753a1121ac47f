// A node whose containers live in memory: the real agent over the simulated runtime.
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

export function simulatedNode(options: SimulatedNodeOptions): NodeAgent {
  const { name, index, client, clock, random, logger, cpus = 4, memoryBytes = 8 * 2 ** 30 } = options;
  const podCidr = `10.${244 + (index >> 8)}.${index & 255}.0/24`;
  const runtime = new SimulatedRuntime({ clock, random, podCidr: () => podCidr });
  return new NodeAgent({
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
    podCidr,
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
}
