// Server-side apply and the tracking of who owns which field.
// @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
import { formatTime } from "../../../base/index.ts";
import { deepEqual } from "../../equality.ts";
import type { DeepReadonly } from "../../meta/object.ts";
import type { ManagedFieldsEntry } from "../../meta/types.ts";
import type { TypeFacts } from "../../schema.ts";
import { isObject, type JsonObject, PatchError } from "../patch-error.ts";
import { ApplyConflictError, conflictsWith } from "./conflicts.ts";
import { createdFields } from "./created-fields.ts";
import { difference, emptySet, type FieldSet, intersection, isEmptySet, union } from "./field-set.ts";
import {
  isReadable,
  isReset,
  type Owner,
  type Owners,
  ownable,
  ownerId,
  readOwners,
  takeFromOwners,
  writeOwners,
} from "./managed-fields.ts";
import { mergeValues, removeFields, withNamedFields, withoutFields } from "./merge-values.ts";
import { rootShape, type Shape } from "./shape.ts";
import { typedProblems } from "./typed-problems.ts";
import { appliedFields, compareValues, wholeFields } from "./value-sets.ts";

/** What an apply on an object without owners leaves the fields to that were there before. */
const beforeFirstApply = "before-first-apply";

interface OwnershipRequest {
  readonly manager: string;
  /** Of the type; absent: schemaless. */
  readonly facts: TypeFacts | undefined;
  /** Of the request: `apps/v1`. */
  readonly apiVersion: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly subresource?: string | undefined;
  /** Top-level fields that this endpoint does not write (`status` of the object itself, `spec` of its status). */
  readonly resetFields?: readonly string[] | undefined;
}

export interface ApplyRequest extends OwnershipRequest {
  /** Absent: the apply creates the object. Not changed. */
  readonly live: unknown;
  readonly applied: unknown;
  readonly force?: boolean | undefined;
}

export interface ApplyResult {
  /**
   * With its managedFields; `live` itself if nothing changed. Shares with live and applied what they agree on, so treat it
   * as frozen.
   */
  readonly object: JsonObject;
  readonly managedFields: readonly DeepReadonly<ManagedFieldsEntry>[];
  /** Whether anything but managedFields differs from the live object. */
  readonly isChanged: boolean;
}

/** Throws ApplyConflictError, and PatchError for what is no applicable configuration. */
export function apply(request: ApplyRequest): ApplyResult {
  const { applied, facts, resetFields = [], force = false } = request;
  if (!isObject(applied)) throw new PatchError("malformed", "error decoding YAML: the configuration is no object");
  if (managedFieldsOf(applied) !== undefined) throw new PatchError("malformed", "metadata.managedFields must be nil");
  const shape = rootShape(facts);
  refuseUntyped(applied, shape);
  const live = withManagedFields(isObject(request.live) ? request.live : {}, undefined);
  const owners = ownersBeforeApply(request, live, shape);
  const applier = ownerOf(request, "Apply");
  const id = ownerId(applier);
  const last = owners.get(id);
  const set = sameSet(last?.set, ownable(appliedFields(applied, shape), resetFields));
  owners.set(id, { ...applier, set });
  const merged = mergeValues(live, withoutFields(applied, resetFields), shape);
  const pruned = last === undefined || last.set === set ? merged : removeFields(merged, abandoned(last.set, owners, shape), shape);
  const changes = compareValues(live, pruned, shape);
  const touched = ownable(union(changes.modified, changes.added), resetFields);
  if (!force) refuseConflicts(owners, touched, id);
  takeFromOwners(owners, union(touched, changes.removed), id);
  const isChanged = !isEmptySet(changes.added) || !isEmptySet(changes.modified) || !isEmptySet(changes.removed);
  if (isEmptySet(set)) owners.delete(id);
  else if (last !== undefined && !isChanged) {
    if (last.set === set && last.apiVersion === applier.apiVersion && isObject(request.live)) return unchangedResult(request.live);
    owners.set(id, { ...applier, set, time: last.time });
  }
  const managedFields = writeOwners(owners);
  return { object: withManagedFields(isObject(pruned) ? pruned : {}, managedFields), managedFields, isChanged };
}

function unchangedResult(live: JsonObject): ApplyResult {
  return { object: live, managedFields: managedFieldsOf(live) ?? [], isChanged: false };
}

function refuseUntyped(applied: JsonObject, shape: Shape): void {
  const problems = typedProblems(applied, shape);
  if (problems.length === 0) return;
  const metadata = isObject(applied["metadata"]) ? applied["metadata"] : {};
  const [version = "", group = ""] = String(applied["apiVersion"] ?? "")
    .split("/")
    .reverse();
  const kind = `${group}/${version}, Kind=${String(applied["kind"] ?? "")}`;
  const name = `${String(metadata["namespace"] ?? "")}/${String(metadata["name"] ?? "")}`;
  const text = problems.length === 1 ? problems[0] : `errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`;
  throw new PatchError("malformed", `failed to create typed patch object (${name}; ${kind}): ${text}`);
}

/** `last` if `next` is the same set. */
function sameSet(last: FieldSet | undefined, next: FieldSet): FieldSet {
  return last !== undefined && deepEqual(last, next) ? last : next;
}

function ownersBeforeApply({ live, apiVersion, now }: ApplyRequest, liveObject: JsonObject, shape: Shape): Owners {
  const owners = readOwners(managedFieldsOf(live));
  if (owners.size > 0 || !isObject(live)) return owners;
  const set = ownable(wholeFields(liveObject, shape), []);
  const request = { manager: beforeFirstApply, apiVersion, now, facts: undefined };
  const owner: Owner = { ...ownerOf(request, "Update"), set };
  return owners.set(ownerId(owner), owner);
}

function ownerOf({ manager, apiVersion, subresource = "", now }: OwnershipRequest, operation: "Apply" | "Update"): Owner {
  return { manager, operation, apiVersion, subresource, time: formatTime(now), set: emptySet, entry: undefined };
}

/** What the applier had applied before, and now nobody owns. */
function abandoned(last: FieldSet, owners: Owners, shape: Shape): FieldSet {
  const owned = [...owners.values()].reduce((all, { set }) => union(all, set), emptySet);
  return difference(withNamedFields(last, shape), withNamedFields(owned, shape));
}

function refuseConflicts(owners: Owners, touched: FieldSet, applierId: string): void {
  const conflicts = [...owners]
    .filter(([id]) => id !== applierId)
    .flatMap(([, owner]) => conflictsWith(owner, intersection(owner.set, touched)));
  if (conflicts.length > 0) throw new ApplyConflictError(conflicts);
}

export interface TrackUpdateRequest extends OwnershipRequest {
  /** Absent: the object is being created. */
  readonly old: unknown;
  readonly updated: unknown;
  readonly operation: "Update";
}

/**
 * The managedFields of `updated`: who wrote what it changed. Looks only at what `old` and `updated` do not share; answers
 * the entries as they were if nothing changed. An existing object that has no owners gets none.
 */
export function trackUpdate(request: TrackUpdateRequest): readonly ManagedFieldsEntry[] {
  const { old, updated, facts, resetFields = [] } = request;
  const shape = rootShape(facts);
  const given = managedFieldsOf(updated);
  if (isReset(given)) return [];
  const standing = managedFieldsOf(old) ?? [];
  // What a client says of owners counts if it can be read at all.
  const isTold = given !== undefined && given !== standing && given.length > 0 && given.every(isReadable);
  const before = isTold ? given : standing;
  if (old === undefined) {
    const owner: Owner = { ...ownerOf(request, "Update"), set: createdFields(updated, facts, resetFields) };
    return writeOwners(readOwners(before).set(ownerId(owner), owner));
  }
  if (before.length === 0) return before;
  const changes = compareValues(old, updated, shape);
  const touched = ownable(union(changes.modified, changes.added), resetFields);
  const removed = ownable(changes.removed, resetFields);
  if (isEmptySet(touched) && isEmptySet(removed)) return before;
  const owners = readOwners(before);
  const writer = ownerOf(request, "Update");
  const id = ownerId(writer);
  const own = owners.get(id);
  takeFromOwners(owners, union(touched, removed));
  // Made of what the writer had before: most often it has the very same fields afterwards.
  if (!isEmptySet(touched)) owners.set(id, { ...writer, set: union(difference(own?.set ?? emptySet, removed), touched) });
  return writeOwners(owners);
}

function managedFieldsOf(object: unknown): readonly DeepReadonly<ManagedFieldsEntry>[] | undefined {
  const metadata = isObject(object) ? object["metadata"] : undefined;
  const entries = isObject(metadata) ? metadata["managedFields"] : undefined;
  return Array.isArray(entries) ? (entries as ManagedFieldsEntry[]) : undefined;
}

function withManagedFields(object: JsonObject, managedFields: ManagedFieldsEntry[] | undefined): JsonObject {
  const metadata = object["metadata"];
  if (!isObject(metadata)) return managedFields === undefined ? object : { ...object, metadata: { managedFields } };
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: managedFields === undefined ? rest : { ...rest, managedFields } };
}
