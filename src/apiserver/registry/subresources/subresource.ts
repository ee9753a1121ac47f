// A subresource that is more than a way to change part of its object.
import type { RequestScope, Stored, UncheckedObject, WriteOptions } from "../../../api/index.ts";
import type { ObjectView } from "../../admission/admission.ts";
import type { CacheEntry } from "../../watch-cache/cache-entry.ts";
import type { Draft } from "../draft.ts";
import type { ServerContext } from "../server-context.ts";

/** Answers a POST in its own way. */
export type CreateSubresource = (
  context: ServerContext,
  scope: RequestScope,
  body: UncheckedObject,
  options: WriteOptions,
) => Promise<Stored>;

/** Shows an object as another kind (Scale), and takes that kind's changes back into the object. */
export interface Projection {
  show(scope: RequestScope, entry: Pick<CacheEntry, "object">): Draft;
  /** Changes `draft`, a copy of what stands, to what `body` wants. */
  take(scope: RequestScope, body: Draft, draft: Draft): void;
}

/** How admission sees an object that `projection` shows as another kind. */
export function viewOf(scope: RequestScope, projection: Projection): ObjectView {
  return { show: (object) => projection.show(scope, { object }), take: (shown, object) => projection.take(scope, shown, object) };
}

const encoder = new TextEncoder();

/** An answer that is not stored. */
export function answer(object: object): Stored {
  return { object: object as Stored["object"], json: encoder.encode(JSON.stringify(object)) };
}
