// Finds out what became of an owner: from the local copy when that shows it alive, else by asking the server.
import type { ResourceRef } from "../../api/index.ts";
import { type Client, LruMap } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject, type OwnerReference } from "../../machinery/index.ts";
import { FOREGROUND_FINALIZER } from "./owner-graph.ts";
import type { OwnerState } from "./plan.ts";

/** Upstream's: enough for the owners that were deleted lately. */
const ABSENT_OWNERS = 500;

export interface OwnerResolverOptions {
  readonly client: Client;
  /** The resource of a kind, if it is served. */
  readonly resourceOf: (apiVersion: string, kind: string) => ResourceRef<KubeObject> | undefined;
  /** The informer's copy of an object, if it has one. */
  readonly cached: (resource: ResourceRef<KubeObject>, namespace: string, name: string) => DeepReadonly<KubeObject> | undefined;
}

/** Whether the owner is there cannot be known, so its dependents stay. */
export class UnresolvableOwnerError extends Error {
  readonly code = "UNRESOLVABLE_OWNER";
  /** Whether it may be resolvable once other kinds are served. */
  readonly isUnknownKind: boolean;

  constructor(message: string, { isUnknownKind }: { readonly isUnknownKind: boolean }) {
    super(message);
    this.isUnknownKind = isUnknownKind;
  }
}

export class OwnerResolver {
  /** Owners that the server did not have. A uid never comes back. */
  readonly #absent = new LruMap<string, true>(ABSENT_OWNERS);
  readonly #options: OwnerResolverOptions;

  constructor(options: OwnerResolverOptions) {
    this.#options = options;
  }

  /** The state of an owner of an object in `dependentNamespace`; throws UnresolvableOwnerError. */
  async state(reference: DeepReadonly<OwnerReference>, dependentNamespace: string, signal: AbortSignal): Promise<OwnerState> {
    const { apiVersion, kind, name, uid } = reference;
    const { client, resourceOf, cached } = this.#options;
    const resource = resourceOf(apiVersion, kind);
    if (resource === undefined) throw new UnresolvableOwnerError(`no resource serves ${apiVersion} ${kind}`, { isUnknownKind: true });
    if (resource.namespaced && dependentNamespace === "") {
      const message = "cluster-scoped objects cannot refer to namespaced owners";
      throw new UnresolvableOwnerError(message, { isUnknownKind: false });
    }
    const namespace = resource.namespaced ? dependentNamespace : "";
    const key = JSON.stringify([apiVersion, kind, namespace, name, uid]);
    if (this.#absent.get(key)) return "dangling";
    const copy = cached(resource, namespace, name);
    if (copy?.metadata.uid === uid && copy.metadata.deletionTimestamp === undefined) return "solid";
    const live = await client.get(resource, name, { namespace, signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
    if (live?.metadata.uid !== uid) {
      this.#absent.set(key, true);
      return "dangling";
    }
    const { deletionTimestamp, finalizers = [] } = live.metadata;
    return deletionTimestamp !== undefined && finalizers.includes(FOREGROUND_FINALIZER) ? "waiting" : "solid";
  }
}
