// Deletes what is in a namespace: the pods first, then all the rest.
import { type ResourceRef, resources } from "../../api/index.ts";
import type { Client } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject, StatusError } from "../../machinery/index.ts";
import { countRemaining, type DeletionOutcome, recheckAfterMs } from "./plan.ts";

export interface ContentDeletion {
  readonly outcome: DeletionOutcome;
  /** When to look again; undefined when nothing remains. */
  readonly recheckMs: number | undefined;
}

export interface ContentDeleterOptions {
  readonly client: Client;
  /** Every namespaced resource that can be listed and deleted, each in one version; may throw what discovery failed with. */
  readonly deletableResources: () => readonly ResourceRef<KubeObject>[];
}

const METHOD_NOT_ALLOWED = 405;

/** @see kubernetes `pkg/controller/namespace/deletion/namespaced_resources_deleter.go` */
export async function deleteContent(
  { client, deletableResources }: ContentDeleterOptions,
  namespace: string,
  signal: AbortSignal,
): Promise<ContentDeletion> {
  const errors: string[] = [];
  const counts = { remaining: new Map<string, number>(), finalizers: new Map<string, number>() };
  const left: DeepReadonly<KubeObject>[] = [];
  const empty = async (resource: ResourceRef<KubeObject>) => {
    try {
      const objects = await deleteResource(client, resource, { namespace, signal });
      countRemaining(counts, resource, objects);
      left.push(...objects);
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error instanceof Error ? error.message : String(error));
    }
  };
  await empty(resources.pods);
  let discoveryError: string | undefined;
  if (counts.remaining.size === 0 && errors.length === 0) {
    let rest: readonly ResourceRef<KubeObject>[] = [];
    try {
      rest = deletableResources().filter(({ resource, group }) => resource !== resources.pods.resource || group !== "");
    } catch (error) {
      discoveryError = error instanceof Error ? error.message : String(error);
    }
    await Promise.all(rest.map(empty));
  }
  const outcome = { discoveryError, errors, ...counts };
  return { outcome, recheckMs: recheckAfterMs(left, outcome) };
}

/** Answers what is left of the resource. */
async function deleteResource(
  client: Client,
  resource: ResourceRef<KubeObject>,
  place: { readonly namespace: string; readonly signal: AbortSignal },
): Promise<readonly DeepReadonly<KubeObject>[]> {
  const list = async () => (await unlessGone(client.list(resource, place)))?.items ?? [];
  const found = await list();
  if (found.length === 0) return found;
  const options = { propagationPolicy: "Background" };
  try {
    await client.deleteCollection(resource, { ...place, options });
  } catch (error) {
    if (!(error instanceof StatusError && error.code === METHOD_NOT_ALLOWED)) throw error;
    await Promise.all(found.map(({ metadata }) => unlessGone(client.delete(resource, metadata.name ?? "", { ...place, options }))));
  }
  return list();
}

/** Undefined when the object, or the resource itself, is not served any more. */
async function unlessGone<R>(call: Promise<R>): Promise<R | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
