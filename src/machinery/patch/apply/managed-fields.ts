// metadata.managedFields as a set of owners: reading, writing in upstream's order, the cap on updaters.
import type { DeepReadonly } from "../../meta/object.ts";
import type { ManagedFieldsEntry } from "../../meta/types.ts";
import { isObject } from "../patch-error.ts";
import { difference, emptySet, type FieldSet, isEmptySet, isFieldSet, sortedSet, union } from "./field-set.ts";

/** Who owns fields: one entry of managedFields. */
export interface Owner {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly set: FieldSet;
  /** The entry that this owner was read from, while nothing about it changed. */
  readonly entry: ManagedFieldsEntry | undefined;
}

/** Owners by identity. */
export type Owners = Map<string, Owner>;

/** Upstream keeps so many updaters apart; older ones are thrown together. */
const maxUpdaters = 10;
const ancientChanges = "ancient-changes";

/** These belong to the server and to nobody else. */
const metaFields = [
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
];
const unowned: FieldSet = {
  "f:apiVersion": emptySet,
  "f:kind": emptySet,
  "f:metadata": { ".": emptySet, ...Object.fromEntries(metaFields.map((name) => [`f:${name}`, emptySet])) },
};

/** The set without the server's fields and without `resetFields`, names of members of the object. */
export function ownable(set: FieldSet, resetFields: readonly string[]): FieldSet {
  const rest = difference(set, unowned);
  if (!resetFields.some((name) => rest[`f:${name}`] !== undefined)) return rest;
  return Object.fromEntries(Object.entries(rest).filter(([step]) => !resetFields.includes(step.slice(2))));
}

/** An applier is the same whatever version it applies; an updater is not. */
export function ownerId({ manager, operation, apiVersion, subresource }: Omit<Owner, "time" | "set" | "entry">): string {
  return JSON.stringify([manager, operation, operation === "Apply" ? "" : apiVersion, subresource]);
}

export function readOwners(entries: readonly ManagedFieldsEntry[] | undefined): Owners {
  const owners: Owners = new Map();
  for (const entry of entries ?? []) {
    const { manager = "", operation, apiVersion = "", subresource = "", time, fieldsV1 } = entry;
    if (operation !== "Apply" && operation !== "Update") continue;
    const set = isObject(fieldsV1) ? (fieldsV1 as FieldSet) : emptySet;
    const owner: Owner = { manager, operation, apiVersion, subresource, time, set, entry };
    owners.set(ownerId(owner), owner);
  }
  return owners;
}

/** Whether the fields of an entry, which a client may have written, are a set in each of their nodes. */
export function isReadable({ fieldsV1 }: DeepReadonly<ManagedFieldsEntry>): boolean {
  return fieldsV1 === undefined || fieldsV1 === null || isFieldSet(fieldsV1);
}

/** Whether a client asks to forget all owners: a list of one empty entry. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  return entries?.length === 1 && Object.values(entries[0] ?? {}).every((value) => value === undefined || value === "");
}

/** Takes `lost` from every owner but `except`. */
export function takeFromOwners(owners: Owners, lost: FieldSet, except?: string): void {
  if (isEmptySet(lost)) return;
  for (const [id, owner] of owners) {
    if (id === except) continue;
    const set = difference(owner.set, lost);
    if (set === owner.set) continue;
    if (isEmptySet(set)) owners.delete(id);
    else owners.set(id, { ...owner, set, entry: undefined });
  }
}

export function writeOwners(owners: Owners): ManagedFieldsEntry[] {
  const kept = capUpdaters([...owners.values()].filter(({ set }) => !isEmptySet(set)));
  return kept.sort(compareOwners).map(
    (owner): ManagedFieldsEntry =>
      owner.entry ?? {
        manager: owner.manager,
        operation: owner.operation,
        apiVersion: owner.apiVersion,
        ...(owner.time === undefined ? {} : { time: owner.time }),
        fieldsType: "FieldsV1",
        fieldsV1: sortedSet(owner.set),
        ...(owner.subresource === "" ? {} : { subresource: owner.subresource }),
      },
  );
}

function compareOwners(a: Owner, b: Owner): number {
  return (
    compareTexts(a.operation, b.operation) ||
    compareTexts(a.time ?? "", b.time ?? "") ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.apiVersion, b.apiVersion) ||
    compareTexts(a.subresource, b.subresource)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Throws the oldest updaters together, one heap for each version, until few enough are left. */
function capUpdaters(owners: Owner[]): Owner[] {
  const updaters = owners.filter(({ operation }) => operation === "Update");
  if (updaters.length <= maxUpdaters) return owners;
  updaters.sort((a, b) => compareTexts(a.time ?? "", b.time ?? "") || compareTexts(a.manager, b.manager));
  const heaps = new Map<string, Owner>();
  let count = updaters.length;
  let next = 0;
  for (; next < updaters.length && count > maxUpdaters; next++) {
    const owner = updaters[next];
    if (owner === undefined) break;
    const heap = heaps.get(owner.apiVersion);
    if (heap !== undefined) count--;
    const set = heap === undefined ? owner.set : union(heap.set, owner.set);
    heaps.set(owner.apiVersion, { ...owner, manager: ancientChanges, subresource: "", set, entry: undefined });
  }
  return [...owners.filter(({ operation }) => operation === "Apply"), ...heaps.values(), ...updaters.slice(next)];
}
