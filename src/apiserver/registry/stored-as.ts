// Answers in the version that was asked for, when objects are kept in another one.
import type { Resource, Stored } from "../../api/index.ts";
import { deepEqual, type KubeObject } from "../../machinery/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { type Draft, draftOf } from "./draft.ts";

const converted = new WeakMap<Resource, WeakMap<Stored, Stored | Promise<Stored>>>();
const encoder = new TextEncoder();

/** The entry as `resource` shows it; converted once and shared. A promise only where the conversion asks someone else. */
export function presented(resource: Resource, entry: CacheEntry): Stored | Promise<Stored> {
  const { storedAs } = resource;
  if (storedAs === undefined) return entry;
  const known = convertedOf(resource).get(entry);
  if (known !== undefined) return known;
  const shown = storedAs.fromStored(draftOf(entry.object));
  if (!(shown instanceof Promise)) return keep(resource, entry, shown);
  const pending = shown.then((object) => keep(resource, entry, object));
  convertedOf(resource).set(entry, pending);
  // A failure is not remembered: the next reader asks again.
  pending.catch(() => convertedOf(resource).delete(entry));
  return pending;
}

/** The entry as `resource` shows it, if `presented` has made that already. */
export function presentedBefore(resource: Resource, entry: CacheEntry): Stored | undefined {
  const known = resource.storedAs === undefined ? entry : convertedOf(resource).get(entry);
  return known instanceof Promise ? undefined : known;
}

function keep(resource: Resource, entry: CacheEntry, object: KubeObject): Stored {
  const stored = deepEqual(object, entry.object) ? entry : { object, json: encoder.encode(JSON.stringify(object)) };
  convertedOf(resource).set(entry, stored);
  return stored;
}

function convertedOf(resource: Resource): WeakMap<Stored, Stored | Promise<Stored>> {
  let known = converted.get(resource);
  if (known === undefined) converted.set(resource, (known = new WeakMap()));
  return known;
}

/** A client's object of `resource` in the form in which it is kept. */
export async function toStoredForm(resource: Resource, draft: Draft): Promise<Draft> {
  return resource.storedAs === undefined ? draft : ((await resource.storedAs.toStored(draft)) as Draft);
}

/** What stands, in the version of `resource`; not to be changed. */
export async function standingObject(resource: Resource, { object }: CacheEntry): Promise<Draft> {
  return resource.storedAs === undefined ? (object as unknown as Draft) : fromStoredForm(resource, draftOf(object));
}

/** A stored object as a draft in the version of `resource`. */
export async function fromStoredForm(resource: Resource, object: Draft): Promise<Draft> {
  return resource.storedAs === undefined ? object : ((await resource.storedAs.fromStored(object as KubeObject)) as Draft);
}

/** What a dry run answers: the object as it would have been written. */
export async function dryRunAnswer(resource: Resource, draft: Draft): Promise<Stored> {
  const object = await fromStoredForm(resource, draftOf(draft));
  return { object, json: encoder.encode(JSON.stringify(object)) };
}
