// The agent process: `k8ts agent --config file`. Node, proxy and DNS of one node are put together here.
import { readFileSync } from "node:fs";
import type { Clock, Logger, Random } from "../../base/index.ts";
import type { AgentConfig } from "../config/process-config.ts";
import { SystemClock, SystemRandom } from "../system/clock.ts";
import { createLogger } from "../system/logger.ts";
import { aborted, stopSignal } from "../system/signals.ts";

/** What every part of the process is given. */
export interface AgentContext {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Aborted when the process is asked to stop. Pods go on running; the next agent takes them over. */
  readonly signal: AbortSignal;
}

/** Runs until the process is asked to stop. */
export async function agentMain(configFile: string): Promise<void> {
  const config = JSON.parse(readFileSync(configFile, "utf8")) as AgentConfig;
  const logger = createLogger({ name: "agent", level: config.logLevel }).child({ node: config.nodeName });
  const context: AgentContext = { config, clock: new SystemClock(), random: new SystemRandom(), logger, signal: stopSignal() };
  await using _ = await startNode(context);
  logger.info("running", { address: config.nodeAddress, podCidr: config.podCidr });
  await aborted(context.signal);
  logger.info("stopping", { reason: String(context.signal.reason) });
}

/** Starts the parts of the node; disposing stops them. The timer keeps the process alive while they are idle. */
async function startNode({ clock }: AgentContext): Promise<AsyncDisposable> {
  let heartbeat = clock.setTimeout(function beat() {
    heartbeat = clock.setTimeout(beat, 60_000);
  }, 60_000);
  return { [Symbol.asyncDispose]: async () => heartbeat.cancel() };
}
