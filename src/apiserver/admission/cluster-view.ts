// What plugins may look at beside the request: stored objects, as the cache or else the store knows them.
import type { Clock, Random } from "../../base/index.ts";
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";
import type { Store } from "../../storage/index.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";

export interface ClusterView {
  readonly cache: WatchCache;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

const roots = new Map<string, string>();

/** The same string for the same prefix, so that its hash is known. Prefixes are few: plug-ins name them in their source. */
function rootOf(prefix: string): string {
  let root = roots.get(prefix);
  if (root === undefined) roots.set(prefix, (root = `/registry/${prefix}/`));
  return root;
}

/** The object under `/registry/<prefix>/<path>`; asks the store when the cache does not know it yet. */
export async function lookUp<T extends KubeObject>(view: ClusterView, prefix: string, path: string): Promise<DeepReadonly<T> | undefined> {
  return lookUpCached<T>(view, prefix, path) ?? (await lookUpStored<T>(view, prefix, path));
}

/** The same without waiting, from the cache alone. */
export function lookUpCached<T extends KubeObject>(
  view: Pick<ClusterView, "cache">,
  prefix: string,
  path: string,
): DeepReadonly<T> | undefined {
  const root = rootOf(prefix);
  return view.cache.of(root).get(root + path)?.object as DeepReadonly<T> | undefined;
}

export async function lookUpStored<T extends KubeObject>(
  view: ClusterView,
  prefix: string,
  path: string,
): Promise<DeepReadonly<T> | undefined> {
  const stored = await view.store.get(`/registry/${prefix}/${path}`);
  return stored === undefined ? undefined : (view.cache.entries.entry(stored).object as unknown as DeepReadonly<T>);
}

/** All objects under `/registry/<prefix>/<path>` that the cache knows. */
export function lookUpAll<T extends KubeObject>(view: Pick<ClusterView, "cache">, prefix: string, path = ""): DeepReadonly<T>[] {
  const root = rootOf(prefix);
  return view.cache
    .of(root)
    .entries(root + path)
    .map(({ object }) => object as unknown as DeepReadonly<T>);
}
