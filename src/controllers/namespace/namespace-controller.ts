// Empties namespaces that are being deleted, then lets them go.
import { type ResourceRef, resources } from "../../api/index.ts";
import type { Namespace } from "../../api/types/core/v1.ts";
import { timestamp } from "../../base/index.ts";
import { type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isNotFound, type KubeObject } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { deleteContent } from "./content-deleter.ts";
import { type DeletionOutcome, namespaceConditions } from "./plan.ts";

export interface NamespaceControllerOptions {
  /** Every namespaced resource that can be listed and deleted, each in one version; may throw what discovery failed with. */
  readonly deletableResources: () => readonly ResourceRef<KubeObject>[];
}

/** Upstream's --concurrent-namespace-syncs. */
const CONCURRENCY = 10;
const FINALIZER = "kubernetes";

/** @see kubernetes `pkg/controller/namespace` */
export function namespaceController(context: ControllerContext, { deletableResources }: NamespaceControllerOptions): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const namespaces = informers.informer(resources.namespaces);
  const pods = informers.informer(resources.pods);
  const add = ({ metadata }: DeepReadonly<Namespace>) => {
    if (metadata.deletionTimestamp !== undefined) queue.add(metadata.name ?? "");
  };
  namespaces.onChange({ added: add, updated: (_, namespace) => add(namespace) });
  // The last pod is what most deletions wait for.
  pods.onChange({
    deleted: ({ metadata }) => {
      const namespace = namespaces.lister.get("", metadata.namespace ?? "");
      if (namespace !== undefined && pods.lister.isEmpty(metadata.namespace ?? "")) add(namespace);
    },
  });

  const writeConditions = async (namespace: DeepReadonly<Namespace>, outcome: DeletionOutcome, signal: AbortSignal) => {
    const conditions = namespaceConditions(namespace, outcome, timestamp(clock));
    const status = { ...namespace.status, phase: "Terminating", conditions };
    if (deepEqual(namespace.status, status)) return namespace;
    return client.update(resources.namespaces, { ...namespace, status }, { subresource: "status", signal });
  };

  const empty = async (live: DeepReadonly<Namespace>, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
    const { outcome, recheckMs } = await deleteContent({ client, deletableResources }, live.metadata.name ?? "", signal);
    const namespace = await writeConditions(live, outcome, signal);
    const error = outcome.errors[0] ?? outcome.discoveryError;
    if (error !== undefined) throw new NamespaceContentError(error);
    if (recheckMs !== undefined) return { requeueAfterMs: recheckMs };
    const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    const spec = { ...namespace.spec, finalizers };
    await client.update(resources.namespaces, { ...namespace, spec }, { subresource: "finalize", signal });
    return undefined;
  };

  const reconcile = async (name: string, signal: AbortSignal) => {
    if (namespaces.lister.get("", name) === undefined) return undefined;
    try {
      const live = await client.get(resources.namespaces, name, { signal });
      const isOurs = live.metadata.deletionTimestamp !== undefined && (live.spec?.finalizers ?? []).includes(FINALIZER);
      return isOurs ? await empty(live, signal) : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  return keyedController({ name: "namespace-controller", context, queue, reconcile, concurrency: CONCURRENCY });
}

/** Some content could not be deleted; the namespace's conditions tell what. */
export class NamespaceContentError extends Error {
  readonly code = "NAMESPACE_CONTENT";
}
