// Create: admit, prepare, name, validate, admit again, encode once, store.
import type { RequestScope, Stored, UncheckedObject, WriteOptions } from "../../api/index.ts";
import { nameSuffix, timestamp, uuid } from "../../base/index.ts";
import { alreadyExists, type FieldError, invalid, isAlreadyExists, StatusError, validateObjectMeta } from "../../machinery/index.ts";
import { KeyExistsError } from "../../storage/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { decodeBody } from "./decode.ts";
import type { Draft } from "./draft.ts";
import { objectStoreKey, storedResource } from "./key.ts";
import { admitMutations, trackFields } from "./managed-fields.ts";
import { guardOf, releaseWhenVisible, type ServerContext } from "./server-context.ts";
import { dryRunAnswer, presented } from "./stored-as.ts";

/** How often a generated name is tried. */
const MAX_NAME_ATTEMPTS = 8;
/** Longer prefixes are cut, so that the name with its suffix stays within a DNS label. */
const MAX_GENERATED_PREFIX = 58;

export async function createObject(
  context: ServerContext,
  scope: RequestScope,
  body: UncheckedObject,
  options: WriteOptions,
): Promise<Stored> {
  return createDraft(context, scope, await decodeBody(scope, body, options), options);
}

export interface CreateOptions extends WriteOptions {
  /** "none" when the draft's managedFields are already right. */
  readonly tracking?: "none";
}

/** Creates `draft`, which is in stored form and has its defaults. */
export async function createDraft(context: ServerContext, scope: RequestScope, draft: Draft, options: CreateOptions): Promise<Stored> {
  const isDryRun = options.dryRun === true;
  if ((draft.metadata.resourceVersion ?? "") !== "") throw revisionOnCreate();
  const request = { operation: "CREATE", scope, object: draft, old: undefined, isDryRun } as const;
  if (options.tracking !== "none") trackFields({ context, scope, draft, old: undefined });
  await admitMutations(context, request);
  prepare(context, scope, draft);
  const generateName = draft.metadata.name === undefined || draft.metadata.name === "" ? (draft.metadata.generateName ?? "") : "";
  for (let attempt = 1; ; attempt++) {
    if (generateName !== "") draft.metadata.name = generateName.slice(0, MAX_GENERATED_PREFIX) + nameSuffix(context.random);
    const reservation = guardOf(context, scope.resource)?.reserve(draft, undefined);
    try {
      validate(scope, draft, reservation?.errors ?? []);
      await context.admission.validate(request);
      if (isDryRun) return dryRunAnswer(scope.resource, draft);
      return presented(scope.resource, await store(context, scope, draft));
    } catch (error) {
      const retries = generateName !== "" && isAlreadyExists(error) && attempt < MAX_NAME_ATTEMPTS;
      if (!retries) throw error;
    } finally {
      releaseWhenVisible(context, reservation);
    }
  }
}

function prepare(context: ServerContext, { resource, user }: RequestScope, draft: Draft): void {
  const { strategy } = storedResource(resource);
  const { metadata } = draft;
  for (const name of ["selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"] as const) delete metadata[name];
  metadata.uid = uuid(context.random);
  metadata.creationTimestamp = timestamp(context.clock);
  if (strategy.hasGeneration === true) metadata.generation = 1;
  strategy.prepareForCreate?.(draft, { clock: context.clock, random: context.random, user });
}

function validate(scope: RequestScope, draft: Draft, more: readonly FieldError[]): void {
  const { resource } = scope;
  const { strategy, namespaced } = storedResource(resource);
  const { validateName, allowsPlainFinalizers } = strategy;
  const rules = { namespaced, validateName, allowsPlainFinalizers };
  const errors = [...validateObjectMeta(draft.metadata, rules), ...(strategy.validate?.(draft) ?? []), ...more];
  if (errors.length > 0) throw invalid(resource, draft.metadata.name ?? draft.metadata.generateName ?? "", errors);
  if (scope.warn !== undefined) for (const text of strategy.warnings?.(draft) ?? []) scope.warn(text);
}

async function store(context: ServerContext, { resource, namespace }: RequestScope, draft: Draft): Promise<CacheEntry> {
  const { name = "" } = draft.metadata;
  const { entries } = context.cache;
  // A guard may change the draft once more, when its name was taken.
  const value = guardOf(context, resource) === undefined ? entries.encodeNew(draft) : entries.encode(draft);
  const { ttlSeconds } = storedResource(resource).strategy;
  try {
    const key = objectStoreKey(resource, namespace, name);
    return entries.entry(await context.store.create(key, value, ttlSeconds === undefined ? {} : { ttlSeconds }));
  } catch (error) {
    if (error instanceof KeyExistsError) throw alreadyExists(resource, name);
    throw error;
  }
}

function revisionOnCreate(): StatusError {
  const message = "resourceVersion should not be set on objects to be created";
  return new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
}
