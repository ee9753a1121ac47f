// Takes the tracking finalizer from pods, and remembers from which until the informer shows it.
import { resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { Client, Informer } from "../../client/index.ts";
import { type DeepReadonly, isNotFound } from "../../machinery/index.ts";
import { isTracked, TRACKING_FINALIZER } from "./job-pod.ts";

export class PodReleaser {
  readonly #client: Client;
  /** Uids of pods without the finalizer which the informer still shows with it. */
  readonly #released = new Set<string>();

  constructor(client: Client, pods: Informer<Pod>) {
    this.#client = client;
    pods.onChange({
      updated: (_, pod) => {
        if (!isTracked(pod)) this.#released.delete(pod.metadata.uid ?? "");
      },
      deleted: ({ metadata }) => this.#released.delete(metadata.uid ?? ""),
    });
  }

  get released(): ReadonlySet<string> {
    return this.#released;
  }

  async release(pod: DeepReadonly<Pod>, signal: AbortSignal): Promise<void> {
    const { name = "", namespace, uid = "" } = pod.metadata;
    if (!isTracked(pod) || this.#released.has(uid)) return;
    this.#released.add(uid);
    const patch = { metadata: { uid, "$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER] } };
    try {
      await this.#client.patch(resources.pods, name, patch, { namespace, signal, type: "application/strategic-merge-patch+json" });
    } catch (error) {
      this.#released.delete(uid);
      if (!isNotFound(error)) throw error;
    }
  }
}
