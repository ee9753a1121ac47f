// A thread that plays the seeds it is sent, one after the other.
import { parentPort } from "node:worker_threads";
import { type Simulation, simulateWorkloads } from "./workload-simulation.ts";

parentPort?.on("message", async (seed: number) => {
  const simulation: Simulation = await simulateWorkloads(seed).catch((error: unknown) => ({ seed, log: [], problems: [String(error)] }));
  parentPort?.postMessage(simulation);
});
