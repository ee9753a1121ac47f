// Deletes the instances of a definition that is being deleted, in whichever version is served.
import type { ResourceRef } from "../../api/index.ts";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import type { Client } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject } from "../../machinery/index.ts";

/** The resource under which the instances can be reached; undefined when none is served, and so there are none to delete. */
export function instanceResource({ spec, status }: DeepReadonly<CustomResourceDefinition>): ResourceRef<KubeObject> | undefined {
  const isEstablished = status?.conditions?.some((condition) => condition.type === "Established" && condition.status === "True") === true;
  const version = spec.versions.find(({ served, storage }) => served && storage) ?? spec.versions.find(({ served }) => served);
  if (!isEstablished || version === undefined) return undefined;
  const { plural = spec.names.plural, kind = spec.names.kind } = status?.acceptedNames ?? {};
  return { group: spec.group, version: version.name, resource: plural, kind, namespaced: spec.scope === "Namespaced" };
}

/** Asks for the deletion of all instances; answers how many are still there, kept by finalizers. */
export async function deleteInstances(client: Client, resource: ResourceRef<KubeObject>, signal: AbortSignal): Promise<number> {
  try {
    await client.deleteCollection(resource, { signal });
    return (await client.list(resource, { signal })).items.length;
  } catch (error) {
    // Not served: the definition is gone, or its names were never granted.
    if (isNotFound(error)) return 0;
    throw error;
  }
}
