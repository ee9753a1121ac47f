// What keeps an object that is being deleted: finalizers in its metadata, for some kinds also in its spec, and grace.
import type { Resource } from "../../api/index.ts";
import type { DeepReadonly, DeleteOptions, KubeObject, ObjectMeta } from "../../machinery/index.ts";
import { fieldOf } from "./draft.ts";

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** Finalizers of the spec (namespaces have them), by which contents go first. */
export function specFinalizers(resource: Resource, object: DeepReadonly<KubeObject>): readonly string[] {
  if (resource.subresources["finalize"] === undefined) return [];
  const spec = fieldOf(object, "spec") as { readonly finalizers?: readonly string[] } | undefined;
  return spec?.finalizers ?? [];
}

/** Whether nothing keeps the object any more. */
export function isFinished(resource: Resource, object: DeepReadonly<KubeObject>): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds > 0) return false;
  return finalizers.length === 0 && specFinalizers(resource, object).length === 0;
}

/** The finalizers that an object has once it is deleted with `options`. */
export function finalizersForDeletion(metadata: DeepReadonly<ObjectMeta>, options: DeleteOptions): string[] {
  const finalizers = [...(metadata.finalizers ?? [])];
  const policy = options.propagationPolicy ?? (options.orphanDependents === true ? "Orphan" : undefined);
  if (policy === undefined && options.orphanDependents === undefined) return finalizers;
  const others = finalizers.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  if (policy === "Orphan") others.push(ORPHAN);
  if (policy === "Foreground") others.push(FOREGROUND);
  return others;
}
