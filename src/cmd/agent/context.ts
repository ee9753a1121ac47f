// What the parts of the agent process share.
import type { Clock, Logger, Random } from "../../base/index.ts";
import type { KubeletConfiguration } from "../../node/index.ts";
import type { AgentConfig } from "../config/process-config.ts";
import type { MachineStop } from "./machine-stop.ts";

export interface AgentContext {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly kubelet: KubeletConfiguration;
  readonly machineStop: MachineStop;
  /** Aborted when the process is asked to stop. Pods go on running; the next agent takes them over. */
  readonly signal: AbortSignal;
}
