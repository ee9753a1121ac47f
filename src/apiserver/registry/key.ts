// Where objects stand in the store: `/registry/<group or core>/<plural>/[<namespace>/]<name>`.
import type { Resource } from "../../api/index.ts";

export const ROOT = "/registry/";

const prefixes = new WeakMap<Resource, string>();

/** The resource in whose version and group objects of `resource` are kept. */
export function storedResource(resource: Resource): Resource {
  return resource.storedAs?.resource ?? resource;
}

/** The prefix of all objects of a resource. */
export function resourcePrefix(resource: Resource): string {
  let prefix = prefixes.get(resource);
  if (prefix === undefined) {
    const { group, resource: plural } = storedResource(resource);
    prefix = `${ROOT}${group === "" ? "core" : group}/${plural}/`;
    prefixes.set(resource, prefix);
  }
  return prefix;
}

/** The prefix of a resource's objects in `namespace`; of all of them when it is "". */
export function scopePrefix(resource: Resource, namespace: string): string {
  const prefix = resourcePrefix(resource);
  return namespace === "" || !resource.namespaced ? prefix : `${prefix}${namespace}/`;
}

export function objectStoreKey(resource: Resource, namespace: string, name: string): string {
  return scopePrefix(resource, namespace) + name;
}

/** The resource prefix that `key` begins with; "" for keys of another form. */
export function prefixOfKey(key: string): string {
  const groupEnd = key.indexOf("/", ROOT.length);
  const resourceEnd = groupEnd < 0 ? -1 : key.indexOf("/", groupEnd + 1);
  return resourceEnd < 0 || !key.startsWith(ROOT) ? "" : key.slice(0, resourceEnd + 1);
}
