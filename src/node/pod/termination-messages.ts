// The last words of a pod's containers, each read once.
import { terminationMessage } from "../containers/termination-message.ts";
import type { NodeContext } from "../node-context.ts";
import type { ContainerStatus } from "../runtime/runtime.ts";

export class TerminationMessages {
  readonly #context: NodeContext;
  /** By container id; of containers that the runtime still has. */
  readonly #messages = new Map<string, string>();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  get byContainer(): ReadonlyMap<string, string> {
    return this.#messages;
  }

  /** Reads those of containers that have ended since, and forgets those of containers that are gone. */
  async read(podUid: string, containers: readonly ContainerStatus[]): Promise<void> {
    const present = new Set(containers.map(({ id }) => id));
    for (const id of this.#messages.keys()) if (!present.has(id)) this.#messages.delete(id);
    for (const container of containers) {
      if (container.state !== "EXITED" || this.#messages.has(container.id)) continue;
      this.#messages.set(container.id, await terminationMessage(this.#context, podUid, container));
    }
  }
}
