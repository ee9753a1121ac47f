// The resources that controllers go through which look after objects of all kinds: each kind once.
import type { Resource, ResourceCatalog } from "../api/index.ts";

const VERBS = ["delete", "list", "watch"];

/**
 * Everything that can be listed, watched and deleted: in the version in which it is stored or, when that one is not served, in
 * the first that is.
 */
export function deletableResources(catalog: Pick<ResourceCatalog, "all" | "find">): readonly Resource[] {
  const chosen = new Map<string, Resource>();
  for (const resource of catalog.all()) {
    const id = `${resource.resource}.${resource.group}`;
    const stored = resource.storedAs?.resource;
    const isSeenElsewhere = stored !== undefined && catalog.find(stored.group, stored.version, stored.resource) !== undefined;
    const isDeletable = VERBS.every((verb) => resource.verbs.includes(verb));
    if (isDeletable && !isSeenElsewhere && !chosen.has(id)) chosen.set(id, resource);
  }
  return [...chosen.values()];
}
