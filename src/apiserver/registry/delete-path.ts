// Delete: preconditions, grace, finalizers; and deletion of many.
import type { ListOptions, RequestScope, Stored, StoredList } from "../../api/index.ts";
import { formatTime } from "../../base/index.ts";
import { conflict, type DeleteOptions, field, invalid, isNotFound, notFound, type Status } from "../../machinery/index.ts";
import { RevisionConflictError } from "../../storage/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { type Draft, draftOf } from "./draft.ts";
import { finalizersForDeletion, specFinalizers } from "./finalizers.ts";
import { storedResource } from "./key.ts";
import { listObjects } from "./read-path.ts";
import { currentEntry, type ServerContext } from "./server-context.ts";
import { dryRunAnswer, presented } from "./stored-as.ts";

export type Deletion = { readonly stored: Stored } | { readonly status: Status };

/** Deletions of a collection that are under way at the same time. */
const PARALLEL_DELETIONS = 64;

export interface DeletionExtras {
  /** Part of a request that admission has let pass: it is not asked again. */
  readonly isAdmitted?: true;
}

export async function deleteObject(
  context: ServerContext,
  scope: RequestScope,
  options: DeleteOptions,
  extras: DeletionExtras = {},
): Promise<Deletion> {
  checkDeleteOptions(options);
  const { resource, namespace, name } = scope;
  await context.cache.waitForNewest();
  let current = await currentEntry(context, resource, namespace, name);
  for (;;) {
    if (current === undefined) throw notFound(resource, name);
    try {
      return await deleteOnce(context, scope, current, { options, extras });
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      current = error.current === undefined ? undefined : context.cache.entries.entry(error.current);
    }
  }
}

async function deleteOnce(
  context: ServerContext,
  scope: RequestScope,
  current: CacheEntry,
  { options, extras }: { readonly options: DeleteOptions; readonly extras: DeletionExtras },
): Promise<Deletion> {
  const { resource } = scope;
  const isDryRun = (options.dryRun ?? []).length > 0;
  checkPreconditions(scope, current, options);
  const request = { operation: "DELETE", scope, object: undefined, old: current.object, isDryRun, deleteOptions: options } as const;
  if (extras.isAdmitted !== true) {
    await context.admission.mutate(request);
    await context.admission.validate(request);
  }
  const marked = markDeleted(context, scope, current, options);
  if (marked === undefined) {
    if (!isDryRun) await context.store.delete(current.key, current.revision);
    return { status: deletedStatus(scope, current) };
  }
  if (marked === "unchanged") return { stored: await presented(resource, current) };
  if (isDryRun) return { stored: await dryRunAnswer(resource, marked) };
  const value = context.cache.entries.encode(marked);
  return {
    stored: await presented(resource, context.cache.entries.entry(await context.store.update(current.key, value, current.revision))),
  };
}

/** The object with the marks of its deletion; undefined when nothing keeps it. */
function markDeleted(
  context: ServerContext,
  { resource }: RequestScope,
  current: CacheEntry,
  options: DeleteOptions,
): ReturnType<typeof draftOf> | "unchanged" | undefined {
  const { object } = current;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers: oldFinalizers = [] } = object.metadata;
  const { strategy } = storedResource(resource);
  const isMarked = deletionTimestamp !== undefined;
  const finalizers = finalizersForDeletion(object.metadata, options);
  if (!isMarked) finalizers.push(...(strategy.deletionFinalizers ?? []).filter((finalizer) => !finalizers.includes(finalizer)));
  const graceSeconds = graceOf(resource, current, options);
  const isKept = graceSeconds > 0 || finalizers.length > 0 || specFinalizers(resource, object).length > 0;
  if (!isKept) return undefined;
  const sameFinalizers = finalizers.length === oldFinalizers.length && finalizers.every((finalizer) => oldFinalizers.includes(finalizer));
  if (isMarked && graceSeconds === deletionGracePeriodSeconds && sameFinalizers) return "unchanged";
  const startMs = isMarked ? Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 : context.clock.now();
  const draft = draftOf(object);
  draft.metadata.deletionTimestamp = formatTime(startMs + graceSeconds * 1000);
  draft.metadata.deletionGracePeriodSeconds = graceSeconds;
  if (finalizers.length > 0) draft.metadata.finalizers = finalizers;
  else delete draft.metadata.finalizers;
  if (!isMarked && draft.metadata.generation !== undefined) draft.metadata.generation++;
  if (specFinalizers(resource, object).length > 0) draft["status"] = { ...(draft["status"] as object | undefined), phase: "Terminating" };
  if (!isMarked) strategy.prepareForDeletion?.(draft, context);
  return draft;
}

/** A deletion under way can only be shortened. */
function graceOf(resource: RequestScope["resource"], { object }: CacheEntry, { gracePeriodSeconds }: DeleteOptions): number {
  const grace = storedResource(resource).strategy.gracePeriodSeconds?.(object as Draft, gracePeriodSeconds) ?? 0;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  if (deletionTimestamp === undefined) return grace;
  return gracePeriodSeconds === undefined ? deletionGracePeriodSeconds : Math.min(grace, deletionGracePeriodSeconds);
}

function checkPreconditions({ resource, name }: RequestScope, { object, revision }: CacheEntry, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid !== undefined && uid !== object.metadata.uid) {
    throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`);
  }
  if (resourceVersion !== undefined && resourceVersion !== String(revision)) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${revision}`;
    throw conflict(resource, name, why);
  }
}

function checkDeleteOptions({ propagationPolicy, orphanDependents, gracePeriodSeconds, dryRun = [] }: DeleteOptions): void {
  const errors = [];
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    errors.push(field.invalid("propagationPolicy", propagationPolicy, "orphanDependents and deletionPropagation cannot be both set"));
  }
  const policies = ["Foreground", "Background", "Orphan"];
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy)) {
    errors.push(field.notSupported("propagationPolicy", propagationPolicy, [...policies, "nil"]));
  }
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds < 0) {
    errors.push(field.invalid("gracePeriodSeconds", gracePeriodSeconds, "must be greater than or equal to 0"));
  }
  if (dryRun.some((mode) => mode !== "All")) errors.push(field.notSupported("dryRun", dryRun, ["All"]));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
}

function deletedStatus({ resource, name }: RequestScope, { object }: CacheEntry): Status {
  const { uid } = object.metadata;
  const group = resource.group === "" ? {} : { group: resource.group };
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name, ...group, kind: resource.resource, ...(uid === undefined ? {} : { uid }) },
  };
}

/** Deletes what `selection` selects; answers what it was. */
export async function deleteCollection(
  context: ServerContext,
  scope: RequestScope,
  options: DeleteOptions,
  selection: ListOptions,
): Promise<StoredList> {
  const list = await listObjects(context, scope, selection);
  for (let start = 0; start < list.items.length; start += PARALLEL_DELETIONS) {
    const lot = list.items.slice(start, start + PARALLEL_DELETIONS);
    await Promise.all(lot.map((item) => deleteListed(context, scope, item, options)));
  }
  return list;
}

async function deleteListed(context: ServerContext, scope: RequestScope, { object }: Stored, options: DeleteOptions): Promise<void> {
  const { name = "", namespace = "" } = object.metadata;
  try {
    await deleteObject(context, { ...scope, name, namespace }, options);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
