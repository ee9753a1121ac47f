// Makes and deletes the pods of one kind of controller: tells its expectations before, its events after.
import { resources } from "../api/index.ts";
import type { Pod } from "../api/types/core/v1.ts";
import type { ControllerExpectations } from "../client/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject, objectKey } from "../machinery/index.ts";
import type { ControllerContext } from "./controller.ts";
import { isNamespaceTerminating } from "./create-in-namespace.ts";
import { messageOf } from "./error-message.ts";
import { slowStart } from "./slow-start.ts";

export interface PodChanges {
  /** What the pods are made for. */
  readonly owner: DeepReadonly<KubeObject>;
  readonly create: readonly DeepReadonly<Pod>[];
  readonly delete: readonly DeepReadonly<Pod>[];
  /** Comes before the deletion of each pod. */
  readonly beforeDelete?: (pod: DeepReadonly<Pod>, signal: AbortSignal) => Promise<void>;
}

/** Why pods could not be made or deleted. */
export interface PodFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly error: unknown;
}

export class PodControl {
  readonly #context: Pick<ControllerContext, "client" | "recorder">;
  readonly #expectations: ControllerExpectations;

  constructor(context: Pick<ControllerContext, "client" | "recorder">, expectations: ControllerExpectations) {
    this.#context = context;
    this.#expectations = expectations;
  }

  /** Answers the first failure; the others go on. In a namespace that ends, nothing is made and that is no failure. */
  async carryOut(changes: PodChanges, signal: AbortSignal): Promise<PodFailure | undefined> {
    const { owner, create } = changes;
    if (create.length === 0 && changes.delete.length === 0) return undefined;
    this.#expectations.expect(objectKey(owner), { creations: create.length, deletions: changes.delete.map(identity) });
    const [createError, deleteError] = await Promise.all([this.#create(owner, create, signal), this.#delete(changes, signal)]);
    if (createError !== undefined) return { reason: "FailedCreate", error: createError };
    return deleteError === undefined ? undefined : { reason: "FailedDelete", error: deleteError };
  }

  async #create(owner: DeepReadonly<KubeObject>, pods: readonly DeepReadonly<Pod>[], signal: AbortSignal): Promise<unknown> {
    const { client, recorder } = this.#context;
    const { succeeded, error } = await slowStart(pods.length, async (index) => {
      const pod = pods[index];
      if (pod === undefined) return;
      const created = await client.create(resources.pods, pod, { namespace: owner.metadata.namespace, signal });
      recorder.event(owner, "Normal", "SuccessfulCreate", `Created pod: ${created.metadata.name}`);
    });
    if (error === undefined) return undefined;
    this.#expectations.creationObserved(objectKey(owner), pods.length - succeeded);
    if (isNamespaceTerminating(error)) return undefined;
    recorder.event(owner, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
    return error;
  }

  async #delete(changes: PodChanges, signal: AbortSignal): Promise<unknown> {
    const results = await Promise.allSettled(changes.delete.map((pod) => this.#deleteOne(pod, changes, signal)));
    return results.find((result) => result.status === "rejected")?.reason;
  }

  async #deleteOne(pod: DeepReadonly<Pod>, { owner, beforeDelete }: PodChanges, signal: AbortSignal): Promise<void> {
    const { client, recorder } = this.#context;
    const { name = "", namespace, uid } = pod.metadata;
    try {
      await beforeDelete?.(pod, signal);
      await client.delete(resources.pods, name, { namespace, signal, options: { preconditions: { uid } } });
      recorder.event(owner, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
    } catch (error) {
      this.#expectations.deletionObserved(objectKey(owner), identity(pod));
      if (isNotFound(error)) return;
      recorder.event(owner, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
      throw error;
    }
  }
}

function identity(pod: DeepReadonly<Pod>): string {
  return pod.metadata.uid ?? "";
}
