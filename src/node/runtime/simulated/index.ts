export { ANNOTATION_PREFIX, type Behaviours, type SimulatedBehaviour } from "./behaviour.ts";
export { SimulatedProber } from "./simulated-prober.ts";
export { SimulatedRuntime, type SimulatedRuntimeOptions } from "./simulated-runtime.ts";
