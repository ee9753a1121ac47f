// Probes of simulated containers: they succeed when the container's behaviour says it is ready.
import type { ProbeOutcome, Prober, ProbeTarget } from "../../probes/prober.ts";
import type { SimulatedRuntime } from "./simulated-runtime.ts";

export class SimulatedProber implements Prober {
  readonly #runtime: Pick<SimulatedRuntime, "isReady">;

  constructor(runtime: Pick<SimulatedRuntime, "isReady">) {
    this.#runtime = runtime;
  }

  probe(_probe: unknown, target: ProbeTarget): Promise<ProbeOutcome> {
    const isReady = this.#runtime.isReady(target.containerId);
    return Promise.resolve(isReady ? { result: "success", output: "" } : { result: "failure", output: "simulated container is not ready" });
  }
}
