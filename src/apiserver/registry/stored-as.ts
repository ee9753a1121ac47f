// Answers in the version that was asked for, when objects are kept in another one.
import type { Resource, Stored } from "../../api/index.ts";
import type { KubeObject } from "../../machinery/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { type Draft, draftOf } from "./draft.ts";

const converted = new WeakMap<Stored, Stored>();
const encoder = new TextEncoder();

/** The entry as `resource` shows it; converted once and shared. */
export function presented(resource: Resource, entry: CacheEntry): Stored {
  if (resource.storedAs === undefined) return entry;
  let stored = converted.get(entry);
  if (stored === undefined) {
    const object = resource.storedAs.fromStored(draftOf(entry.object));
    stored = { object, json: encoder.encode(JSON.stringify(object)) };
    converted.set(entry, stored);
  }
  return stored;
}

/** A client's object of `resource` in the form in which it is kept. */
export function toStoredForm(resource: Resource, draft: Draft): Draft {
  return resource.storedAs === undefined ? draft : (resource.storedAs.toStored(draft) as Draft);
}

/** A stored object as a draft in the version of `resource`. */
export function fromStoredForm(resource: Resource, object: Draft): Draft {
  return resource.storedAs === undefined ? object : (resource.storedAs.fromStored(object as KubeObject) as Draft);
}

/** What a dry run answers: the object as it would have been written. */
export function dryRunAnswer(resource: Resource, draft: Draft): Stored {
  const object = fromStoredForm(resource, draft);
  return { object, json: encoder.encode(JSON.stringify(object)) };
}
