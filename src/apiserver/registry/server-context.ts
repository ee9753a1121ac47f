// What every path of a request through the registry needs.
import type { RequestScope, Resource, ResourceCatalog } from "../../api/index.ts";
import type { Clock, Logger, Random } from "../../base/index.ts";
import type { Store } from "../../storage/index.ts";
import type { AdmissionChain } from "../admission/admission-chain.ts";
import { type AuthorizationAttributes, type Authorizer, type Decision, refusal } from "../authz/authorizer.ts";
import { requestSelectors, type SelectorTexts } from "../authz/request-selectors.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import type { ResourceCache } from "../watch-cache/resource-cache.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import { objectStoreKey, resourcePrefix } from "./key.ts";
import type { Reservation, WriteGuard } from "./write-guard.ts";

export interface ServerContext {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authorizer: Authorizer;
  readonly admission: AdmissionChain;
  /** Resources whose writes take something that others must not get as well (service addresses), by `group/plural`. */
  readonly guards: ReadonlyMap<string, WriteGuard>;
}

export function cacheOf(context: Pick<ServerContext, "cache">, resource: Resource): ResourceCache {
  return context.cache.of(resourcePrefix(resource));
}

export function guardOf(context: ServerContext, resource: Resource): WriteGuard | undefined {
  return context.guards.get(`${resource.group}/${resource.resource}`);
}

/** Gives back what a write took, once the cache shows what the write has made of it. */
export function releaseWhenVisible({ cache }: ServerContext, reservation: Reservation | undefined): void {
  if (reservation === undefined) return;
  const release = () => reservation.release();
  cache.waitForNewest().then(release, release);
}

/** The object as it stands now: from the cache, or from the store when the cache does not know it yet. */
export async function currentEntry(
  context: ServerContext,
  resource: Resource,
  namespace: string,
  name: string,
): Promise<CacheEntry | undefined> {
  const key = objectStoreKey(resource, namespace, name);
  const cached = cacheOf(context, resource).get(key);
  if (cached !== undefined) return cached;
  const stored = await context.store.get(key);
  return stored === undefined ? undefined : context.cache.entries.entry(stored);
}

/** Throws 403 unless the scope's user may do `verb`; rejects with it when the decision takes time. */
export function authorize(context: ServerContext, scope: RequestScope, verb: string, selection: SelectorTexts = {}): void | Promise<void> {
  const { user, resource, subresource, namespace, name } = scope;
  const attributes = {
    user,
    verb,
    group: resource.group,
    version: resource.version,
    resource: resource.resource,
    subresource,
    namespace,
    name,
    ...requestSelectors(verb, selection),
  };
  const decision = context.authorizer.authorize(attributes);
  if (decision instanceof Promise) return decision.then((late) => enforce(scope, attributes, late));
  return enforce(scope, attributes, decision);
}

function enforce(scope: RequestScope, attributes: AuthorizationAttributes, decision: Decision): void {
  const { allowed, reason } = decision;
  scope.annotate?.("authorization.k8s.io/decision", allowed ? "allow" : "forbid");
  if (reason !== "") scope.annotate?.("authorization.k8s.io/reason", reason);
  if (!allowed) throw refusal(attributes, decision);
}
