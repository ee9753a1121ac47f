// The process of the hollow nodes: `k8ts hollow --config file`.
import { readFileSync } from "node:fs";
import { fromKubeconfig, HttpClient, parseKubeconfig, SharedInformers } from "../../client/index.ts";
import { HollowCluster, HollowServer, hollowNodes } from "../../node/index.ts";
import type { HollowConfig } from "../config/process-config.ts";
import { SystemClock, SystemRandom } from "../system/clock.ts";
import { createLogger } from "../system/logger.ts";
import { stopSignal } from "../system/signals.ts";

const MACHINE = {
  cpus: 32,
  memoryBytes: 256 * 2 ** 30,
  kernel: "6.1.0",
  osImage: "hollow",
  bootId: "hollow",
  machineId: "",
  systemUuid: "",
  architecture: process.arch === "arm64" ? "arm64" : "amd64",
};
const MAX_PODS = 110;
/** What a container uses unless its pod's annotations say otherwise. */
const USUAL = { cpuCores: 0.01, memoryBytes: 16 * 2 ** 20 };

/** Runs until the process is asked to stop. */
export async function hollowMain(configFile: string): Promise<void> {
  const config = JSON.parse(readFileSync(configFile, "utf8")) as HollowConfig;
  const logger = createLogger({ name: "hollow", level: config.logLevel });
  const clock = new SystemClock();
  const random = new SystemRandom();
  const signal = stopSignal();
  const { options } = fromKubeconfig(parseKubeconfig(readFileSync(config.kubeconfig, "utf8")), {
    readFile: (path) => readFileSync(path, "utf8"),
  });
  const client = new HttpClient({ ...options, userAgent: "k8ts-hollow", clock });
  const server = new HollowServer({ tls: tlsOf(config), usageOf: (name) => cluster.usageOf(name) });
  const kubeletPort = await server.listen(0, config.address);
  const cluster = new HollowCluster({
    client,
    informers: new SharedInformers({ client, clock, random, logger }),
    clock,
    random,
    logger,
    nodes: hollowNodes(config.nodeCount),
    nodeIp: config.address,
    kubeletPort,
    machine: MACHINE,
    maxPods: MAX_PODS,
    behaviours: () => USUAL,
  });
  logger.info("running", { nodes: config.nodeCount, port: kubeletPort });
  try {
    await cluster.run(signal);
  } finally {
    await server.close();
    client.close();
  }
}

function tlsOf({ serving, caFile }: HollowConfig) {
  return {
    cert: readFileSync(serving.certificateFile, "utf8"),
    key: readFileSync(serving.privateKeyFile, "utf8"),
    clientCa: readFileSync(caFile, "utf8"),
  };
}
