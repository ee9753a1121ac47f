// Runs one postStart or preStop handler.
import type { LifecycleHandler } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { NodeContext } from "../node-context.ts";
import type { ContainerSpec } from "../pod/pod-object.ts";

export interface HookTarget {
  readonly container: ContainerSpec;
  readonly containerId: string;
  readonly podIp: string;
  readonly signal?: AbortSignal | undefined;
}

/** Longer than any grace: hooks are bounded by their pod's end. */
const NO_TIMEOUT_SECONDS = 3600;

export class HookError extends Error {
  readonly code = "HOOK";
}

/** Resolves when the handler has succeeded; rejects with HookError. */
export async function runHook(context: NodeContext, handler: DeepReadonly<LifecycleHandler>, target: HookTarget): Promise<void> {
  const { container, containerId, podIp, signal } = target;
  if (handler.sleep !== undefined) {
    await context.clock.sleep(handler.sleep.seconds * 1000, signal);
  } else if (handler.exec !== undefined) {
    const command = handler.exec.command ?? [];
    const { exitCode, stderr, stdout } = await context.runtime.execSync(containerId, command, 0, signal);
    if (exitCode !== 0) {
      const output = Buffer.concat([stdout, stderr]).toString("utf8");
      throw new HookError(`command '${command.join(" ")}' exited with ${exitCode}: ${output}`);
    }
  } else if (handler.httpGet !== undefined) {
    const probe = { httpGet: handler.httpGet };
    const outcome = await context.prober.probe(
      probe,
      { podIp, containerId, ports: container.ports ?? [], timeoutSeconds: NO_TIMEOUT_SECONDS },
      signal,
    );
    if (outcome.result !== "success") throw new HookError(outcome.output);
  }
}
