// Patch: JSON, merge and strategic merge patches, and server-side apply, each on the version that was asked for.
import type { PatchOptions, RequestScope, Stored } from "../../api/index.ts";
import {
  applyJsonPatch,
  applyMergePatch,
  badRequest,
  conflict,
  jsonPatchMaxOperations,
  PatchError,
  type StatusError,
  statusError,
  strategicMergePatch,
} from "../../machinery/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { applyObject } from "./apply-path.ts";
import { decodePatched } from "./decode.ts";
import { type Draft, draftOf } from "./draft.ts";
import type { ServerContext } from "./server-context.ts";
import { standingObject } from "./stored-as.ts";
import { type Projection, viewOf } from "./subresources/subresource.ts";
import { replaceObject } from "./update-path.ts";
import { mainRules } from "./update-rules.ts";

export interface PatchTarget {
  /** Set when the subresource shows its object as another kind. */
  readonly projection?: Projection | undefined;
}

export async function patchObject(
  context: ServerContext,
  scope: RequestScope,
  patch: unknown,
  { options, projection }: { readonly options: PatchOptions } & PatchTarget,
): Promise<{ stored: Stored; created: boolean }> {
  if (options.type === "application/apply-patch+yaml") return applyObject(context, scope, patch, options);
  const make = async (current: CacheEntry): Promise<Draft> => {
    if (projection !== undefined) {
      const draft = draftOf(current.object);
      projection.take(scope, patched(scope, projection.show(scope, current), patch, options) as Draft, draft);
      return draft;
    }
    const original = await standingObject(scope.resource, current);
    const wanted = patched(scope, original, patch, options) as Draft;
    checkIdentity(scope, wanted);
    return decodePatched(scope, wanted, original, options);
  };
  const replacement = projection === undefined ? { make } : { make, rules: mainRules(scope.resource), view: viewOf(scope, projection) };
  return { stored: await replaceObject(context, scope, replacement, options), created: false };
}

function patched(scope: RequestScope, original: Draft, patch: unknown, { type }: PatchOptions): unknown {
  try {
    switch (type) {
      case "application/json-patch+json":
        if (Array.isArray(patch) && patch.length > jsonPatchMaxOperations) throw tooManyOperations(patch.length);
        return applyJsonPatch(original, patch);
      case "application/merge-patch+json":
        return applyMergePatch(original, patch);
      case "application/strategic-merge-patch+json":
        if (scope.resource.strategy.allowsStrategicMerge === false) throw unsupportedPatch(patchTypesWithoutStrategy);
        return strategicMergePatch(original, patch, scope.resource.facts);
      default:
        throw unsupportedPatch(type);
    }
  } catch (error) {
    throw error instanceof PatchError ? refusedPatch(error) : error;
  }
}

function tooManyOperations(count: number): StatusError {
  const message = `The allowed maximum operations in a JSON patch is ${jsonPatchMaxOperations}, got ${count}`;
  return statusError("RequestEntityTooLarge", message);
}

/** What upstream lists for custom resources, whose lists have no strategies. */
const patchTypesWithoutStrategy = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

function unsupportedPatch(accepted: string): StatusError {
  return statusError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

/** A patch that is none gets 400, one that does not fit the object 422. */
function refusedPatch({ problem, message }: PatchError): StatusError {
  if (problem === "malformed") return badRequest(`error decoding patch: ${message}`);
  return statusError("Invalid", "the server rejected our request due to an error in our request", {
    causes: [{ reason: "UnexpectedServerResponse", message }],
  });
}

/** A patch cannot turn an object into another one. */
function checkIdentity({ resource, name }: RequestScope, { metadata }: Draft): void {
  if (metadata === undefined || metadata === null) throw badRequest("the patch removes the object's metadata");
  if (metadata.name !== name)
    throw conflict(resource, name, `the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
}
