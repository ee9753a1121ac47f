// How a simulated container behaves: as data, given by the node's rules and by annotations on the pod.
import type { ContainerConfig, SandboxConfig } from "../runtime.ts";
import { parseUsageCurve, type UsageCurve } from "./usage-curve.ts";

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
  readonly cpuCores?: UsageCurve;
  readonly memoryBytes?: UsageCurve;
}

/** Answers how a container behaves, before its annotations have their say. */
export type Behaviours = (container: ContainerConfig, sandbox: SandboxConfig) => SimulatedBehaviour;

/**
 * Annotations of a pod that shape its simulated containers, each a number: `sim.k8ts.dev/run-for-seconds: "5"`, or for
 * one container `sim.k8ts.dev/run-for-seconds.web: "5"`. What is used may change with time:
 * `sim.k8ts.dev/cpu-cores: "0.1,60:2"` is a tenth of a core, and two cores from the first minute on.
 */
export const ANNOTATION_PREFIX = "sim.k8ts.dev/";

const annotated: readonly {
  readonly name: string;
  readonly field: keyof SimulatedBehaviour;
  readonly read: (text: string) => UsageCurve | undefined;
}[] = [
  { name: "start-delay-seconds", field: "startDelayMs", read: readSeconds },
  { name: "run-for-seconds", field: "runForMs", read: readSeconds },
  { name: "exit-code", field: "exitCode", read: readNumber },
  { name: "ready-after-seconds", field: "readyAfterMs", read: readSeconds },
  { name: "stop-delay-seconds", field: "stopDelayMs", read: readSeconds },
  { name: "cpu-cores", field: "cpuCores", read: parseUsageCurve },
  { name: "memory-bytes", field: "memoryBytes", read: parseUsageCurve },
];

function readNumber(text: string): number | undefined {
  const value = text === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}

function readSeconds(text: string): number | undefined {
  const seconds = readNumber(text);
  return seconds === undefined ? undefined : seconds * 1_000;
}

/** `base` overridden by annotations, of which later ones win; what cannot be read is passed over. */
export function annotatedBehaviour(
  base: SimulatedBehaviour,
  container: string,
  ...annotationsInOrder: readonly (Readonly<Record<string, string>> | undefined)[]
): SimulatedBehaviour {
  let behaviour = base;
  for (const annotations of annotationsInOrder) {
    if (annotations === undefined) continue;
    for (const { name, field, read } of annotated) {
      const text = annotations[`${ANNOTATION_PREFIX}${name}.${container}`] ?? annotations[`${ANNOTATION_PREFIX}${name}`];
      const value = text === undefined ? undefined : read(text);
      if (value !== undefined) behaviour = { ...behaviour, [field]: value };
    }
  }
  return behaviour;
}
