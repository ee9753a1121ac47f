// How a simulated container behaves: as data, given by the node's rules and by annotations on the pod.
import type { ContainerConfig, SandboxConfig } from "../runtime.ts";

export interface SimulatedBehaviour {
  /** How long starting the container takes. Default 0. */
  readonly startDelayMs?: number;
  /** Ends by itself after so long; undefined runs until it is stopped. */
  readonly runForMs?: number;
  /** Of an end by itself. Default 0. */
  readonly exitCode?: number;
  /** Probes succeed when it has run for so long. Default 0; Infinity is never. */
  readonly readyAfterMs?: number;
  /** How long it takes to end after it was asked to; the grace limits it. Default 0. */
  readonly stopDelayMs?: number;
  /** What it uses while it runs. Default 0. */
  readonly cpuCores?: number;
  readonly memoryBytes?: number;
}

/** Answers how a container behaves, before its annotations have their say. */
export type Behaviours = (container: ContainerConfig, sandbox: SandboxConfig) => SimulatedBehaviour;

/**
 * Annotations of a pod that shape its simulated containers, each a number: `sim.k8ts.dev/run-for-seconds: "5"`, or for
 * one container `sim.k8ts.dev/run-for-seconds.web: "5"`.
 */
export const ANNOTATION_PREFIX = "sim.k8ts.dev/";

const MS = 1_000;
const annotated: readonly { readonly name: string; readonly field: keyof SimulatedBehaviour; readonly factor: number }[] = [
  { name: "start-delay-seconds", field: "startDelayMs", factor: MS },
  { name: "run-for-seconds", field: "runForMs", factor: MS },
  { name: "exit-code", field: "exitCode", factor: 1 },
  { name: "ready-after-seconds", field: "readyAfterMs", factor: MS },
  { name: "stop-delay-seconds", field: "stopDelayMs", factor: MS },
  { name: "cpu-cores", field: "cpuCores", factor: 1 },
  { name: "memory-bytes", field: "memoryBytes", factor: 1 },
];

/** `base` overridden by the annotations of container and pod; those that are no numbers are passed over. */
export function annotatedBehaviour(base: SimulatedBehaviour, container: ContainerConfig, sandbox: SandboxConfig): SimulatedBehaviour {
  let behaviour = base;
  for (const annotations of [sandbox.annotations, container.annotations]) {
    for (const { name, field, factor } of annotated) {
      const text = annotations[`${ANNOTATION_PREFIX}${name}.${container.name}`] ?? annotations[`${ANNOTATION_PREFIX}${name}`];
      const value = text === undefined || text === "" ? Number.NaN : Number(text);
      if (!Number.isNaN(value)) behaviour = { ...behaviour, [field]: value * factor };
    }
  }
  return behaviour;
}
