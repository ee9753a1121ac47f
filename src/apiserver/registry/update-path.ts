// Replace an object: the loop that PUT, PATCH and every subresource that changes an object go through.
import type { RequestScope, Stored, UncheckedObject, WriteOptions } from "../../api/index.ts";
import {
  conflict,
  deepEqual,
  type FieldError,
  field,
  invalid,
  notFound,
  objectModified,
  validateObjectMetaUpdate,
} from "../../machinery/index.ts";
import { RevisionConflictError } from "../../storage/index.ts";
import type { ObjectView } from "../admission/admission.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { createDraft } from "./create-path.ts";
import { decodeBody, keepServerMetadata } from "./decode.ts";
import { copyShared, type Draft, draftOf, shareUnchanged } from "./draft.ts";
import { isFinished } from "./finalizers.ts";
import { storedResource } from "./key.ts";
import { admitMutations, trackFields } from "./managed-fields.ts";
import { currentEntry, guardOf, releaseWhenVisible, type ServerContext } from "./server-context.ts";
import { dryRunAnswer, presented } from "./stored-as.ts";
import { type Projection, viewOf } from "./subresources/subresource.ts";
import { mainRules, type UpdateRules, updateRules } from "./update-rules.ts";

export interface Replacement {
  /**
   * Makes the wanted object, in stored form, from what stands; called again when another write came between. A
   * resourceVersion in it must be the current one; none at all replaces whatever stands. But for its metadata it may share with what
   * stands.
   */
  make(current: CacheEntry): Draft | Promise<Draft>;
  /** "none" when managedFields are already right, and for what the server does itself. */
  readonly tracking?: "none";
  /** For what the server decides and nobody wished for: the generation stays. */
  readonly keepsGeneration?: true;
  /** Default: those of the scope's subresource. */
  readonly rules?: UpdateRules;
  /** For admission, when clients see the object as another kind. */
  readonly view?: ObjectView;
  /** `make` changes something in any case, and all else is what stands, not a copy of it: nobody need look for what is alike. */
  readonly sharesUnchanged?: true;
  /** Part of a request that admission has let pass: it is not asked again. */
  readonly isAdmitted?: true;
}

/** Conflicts of unconditional writes after which the client is told to come again. */
const MAX_ATTEMPTS = 16;

export async function updateObject(
  context: ServerContext,
  scope: RequestScope,
  body: UncheckedObject,
  options: WriteOptions,
): Promise<{ stored: Stored; created: boolean }> {
  const { resource, namespace, name } = scope;
  const { strategy } = storedResource(resource);
  if (strategy.allowsCreateOnUpdate === true && scope.subresource === "") {
    await context.cache.waitForNewest();
    if ((await currentEntry(context, resource, namespace, name)) === undefined)
      return { stored: await createDraft(context, scope, await decodeBody(scope, body, options), options), created: true };
  }
  let decoded: Draft | undefined = await decodeBody(scope, body, options);
  if (strategy.allowsUnconditionalUpdate === false && (decoded.metadata.resourceVersion ?? "") === "") {
    throw invalid(resource, name, [field.invalid("metadata.resourceVersion", 0, "must be specified for an update")]);
  }
  const make = async (): Promise<Draft> => {
    const draft = decoded ?? (await decodeBody(scope, body, options));
    decoded = undefined;
    return draft;
  };
  return { stored: await replaceObject(context, scope, { make }, options), created: false };
}

/** PUT of a subresource that shows its object as another kind. */
export async function updateProjected(
  context: ServerContext,
  scope: RequestScope,
  { body, projection }: { readonly body: UncheckedObject; readonly projection: Projection },
  options: WriteOptions,
): Promise<Stored> {
  const make = (current: CacheEntry): Draft => {
    const draft = draftOf(current.object);
    projection.take(scope, body as unknown as Draft, draft);
    return draft;
  };
  return replaceObject(context, scope, { make, rules: mainRules(scope.resource), view: viewOf(scope, projection) }, options);
}

export async function replaceObject(
  context: ServerContext,
  scope: RequestScope,
  replacement: Replacement,
  options: WriteOptions,
): Promise<Stored> {
  const { resource, namespace, name } = scope;
  await context.cache.waitForNewest();
  let current = await currentEntry(context, resource, namespace, name);
  for (let attempt = 1; ; attempt++) {
    if (current === undefined) throw notFound(resource, name);
    try {
      return await replaceOnce(context, scope, current, { replacement, options });
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      if (attempt === MAX_ATTEMPTS) throw objectModified(resource, name);
      current = error.current === undefined ? undefined : context.cache.entries.entry(error.current);
    }
  }
}

async function replaceOnce(
  context: ServerContext,
  scope: RequestScope,
  current: CacheEntry,
  { replacement, options }: { replacement: Replacement; options: WriteOptions },
): Promise<Stored> {
  const { resource } = scope;
  const isDryRun = options.dryRun === true;
  const rules = replacement.rules ?? updateRules(resource, scope.subresource);
  const guard = guardOf(context, resource);
  // A guard fills in its part of the draft at the very end, when the draft may hold parts of the old object already.
  const old = guard === undefined ? (current.object as unknown as Draft) : draftOf(current.object);
  const draft = await replacement.make(current);
  checkPreconditions(scope, draft, current);
  draft.metadata.resourceVersion = String(current.revision);
  keepServerMetadata(draft.metadata, current.object.metadata);
  const { view } = replacement;
  const request = { operation: "UPDATE", scope, object: draft, old: current.object, isDryRun, view } as const;
  // What admission sets belongs to nobody. Where it sets nothing, the parts that are as they were are known afterwards, and what
  // the rules of a subresource have taken back.
  const isAdmitted = replacement.isAdmitted === true;
  const mayMutate = !isAdmitted && context.admission.mayMutate(request);
  if (mayMutate || guard !== undefined) copyShared(draft, current.object);
  const tracks = replacement.tracking === "none" ? "never" : mayMutate && scope.subresource === "" ? "before" : "after";
  if (tracks === "before") trackFields({ context, scope, draft, old: current.object });
  if (mayMutate) await admitMutations(context, request);
  rules.prepare(draft, old, context);
  if (guard === undefined && replacement.sharesUnchanged !== true) shareUnchanged(draft, old);
  if (replacement.keepsGeneration !== true) raiseGeneration(storedResource(resource).strategy.hasGeneration === true, draft, old);
  if (tracks === "after") trackFields({ context, scope, draft, old: current.object });
  const reservation = guard?.reserve(draft, old);
  try {
    validate(scope, draft, old, [...rules.validate(draft, old, context), ...(reservation?.errors ?? [])]);
    if (!isAdmitted) await context.admission.validate(request);
    if (isDryRun) return dryRunAnswer(resource, draft);
    const isChanged = replacement.sharesUnchanged === true || !deepEqual(draft, current.object);
    return presented(resource, await write(context, scope, draft, { current, isChanged }));
  } finally {
    releaseWhenVisible(context, reservation);
  }
}

function checkPreconditions({ resource, name }: RequestScope, { metadata }: Draft, current: CacheEntry): void {
  const { uid = "", resourceVersion = "" } = metadata;
  const currentUid = current.object.metadata.uid;
  if (uid !== "" && uid !== currentUid) {
    throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${currentUid}`);
  }
  if (resourceVersion !== "" && resourceVersion !== "0" && resourceVersion !== String(current.revision))
    throw objectModified(resource, name);
}

function validate(scope: RequestScope, draft: Draft, old: Draft, more: readonly FieldError[]): void {
  const metadataErrors = validateObjectMetaUpdate(draft.metadata, old.metadata, storedResource(scope.resource).strategy);
  const errors = [...metadataErrors, ...newFinalizers(draft, old), ...more];
  if (errors.length > 0) throw invalid(scope.resource, scope.name, errors);
}

function newFinalizers(draft: Draft, old: Draft): FieldError[] {
  if (old.metadata.deletionTimestamp === undefined) return [];
  const known = new Set(old.metadata.finalizers);
  const added = (draft.metadata.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
  if (added.length === 0) return [];
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  return [field.forbidden("metadata.finalizers", detail)];
}

function raiseGeneration(hasGeneration: boolean, draft: Draft, old: Draft): void {
  if (!hasGeneration) return;
  const names = new Set([...Object.keys(draft), ...Object.keys(old)]);
  for (const name of names) {
    const isSpec = name !== "metadata" && name !== "status" && name !== "kind" && name !== "apiVersion";
    if (!isSpec || deepEqual(draft[name], old[name])) continue;
    draft.metadata.generation = (old.metadata.generation ?? 0) + 1;
    return;
  }
}

/** Stores `draft` in place of `current`, unless nothing changed; deletes it when the last that kept it is gone. */
async function write(
  context: ServerContext,
  { resource }: RequestScope,
  draft: Draft,
  { current, isChanged }: { readonly current: CacheEntry; readonly isChanged: boolean },
): Promise<CacheEntry> {
  const { key, revision } = current;
  if (isFinished(resource, draft)) return current.at(await context.store.delete(key, revision));
  if (!isChanged) return current;
  const value = context.cache.entries.encode(draft);
  const { ttlSeconds } = storedResource(resource).strategy;
  return context.cache.entries.entry(await context.store.update(key, value, revision, ttlSeconds === undefined ? {} : { ttlSeconds }));
}
