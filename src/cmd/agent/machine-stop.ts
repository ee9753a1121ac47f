// When the agent is to end: at once when only the process is asked to stop, but after its pods when the machine is shut
// down. That is told by SIGPWR, or by SIGTERM while systemd is stopping everything.
import type { Logger } from "../../base/index.ts";
import { tryCommand } from "../system/command.ts";
import { Interrupted } from "../system/signals.ts";

export class MachineStop {
  readonly #ended = new AbortController();
  readonly #logger: Logger;
  readonly #isStopping: () => Promise<boolean>;
  #endPods: (() => Promise<void>) | undefined;

  /** `asked` is aborted by a signal to the process; `isStopping` answers whether the whole machine stops. */
  constructor(asked: AbortSignal, logger: Logger, isStopping: () => Promise<boolean> = isSystemStopping) {
    this.#logger = logger;
    this.#isStopping = isStopping;
    asked.addEventListener("abort", () => void this.#stop(asked.reason), { once: true });
  }

  /** Aborted when the agent is to end. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** What is to be done before a machine that is shut down ends. */
  beforeShutdown(endPods: () => Promise<void>): void {
    this.#endPods = endPods;
  }

  async #stop(reason: unknown): Promise<void> {
    try {
      const isPowerFailing = reason instanceof Interrupted && reason.signal === "SIGPWR";
      if (this.#endPods !== undefined && (isPowerFailing || (await this.#isStopping()))) await this.#endPods();
    } catch (error) {
      this.#logger.error("cannot end the pods before the machine is shut down", { error });
    }
    this.#ended.abort(reason);
  }
}

/** Without systemd nobody tells. */
async function isSystemStopping(): Promise<boolean> {
  const { stdout } = await tryCommand(["systemctl", "is-system-running"]);
  return stdout.trim() === "stopping";
}
