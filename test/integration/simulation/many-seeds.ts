// Plays many seeds, on all processors.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Simulation } from "./workload-simulation.ts";

/** Calls `onEnd` for each seed from `first` on, `count` of them, in no order. Rejects when a worker breaks. */
export async function simulateSeeds(first: number, count: number, onEnd: (simulation: Simulation) => void): Promise<void> {
  let next = first;
  const workOff = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      const giveNext = () => {
        if (next >= first + count) resolve();
        else worker.postMessage(next++);
      };
      worker.on("message", (simulation: Simulation) => {
        onEnd(simulation);
        giveNext();
      });
      worker.on("error", reject);
      giveNext();
    }).finally(() => worker.terminate());
  const workers = Array.from(
    { length: Math.min(count, availableParallelism()) },
    () => new Worker(new URL("./worker.ts", import.meta.url)),
  );
  await Promise.all(workers.map(workOff));
}
