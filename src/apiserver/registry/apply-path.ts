// Server-side apply: merges what the applier wants into what stands, or creates it.
import type { PatchOptions, RequestScope, Stored, UncheckedObject } from "../../api/index.ts";
import { ApplyConflictError, type ApplyResult, apply, badRequest, field, invalid } from "../../machinery/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { createDraft } from "./create-path.ts";
import { decodeBody } from "./decode.ts";
import { type Draft, draftOf } from "./draft.ts";
import { knownFieldsOf } from "./field-check.ts";
import { managerOf, resetFields } from "./managed-fields.ts";
import { authorize, currentEntry, type ServerContext } from "./server-context.ts";
import { standingObject } from "./stored-as.ts";
import { replaceObject } from "./update-path.ts";

export async function applyObject(
  context: ServerContext,
  scope: RequestScope,
  patch: unknown,
  options: PatchOptions,
): Promise<{ stored: Stored; created: boolean }> {
  const applied = checkApplied(scope, patch);
  const { resource, namespace, name } = scope;
  await context.cache.waitForNewest();
  const current = await currentEntry(context, resource, namespace, name);
  if (current === undefined && scope.subresource === "") {
    await authorize(context, scope, "create");
    const { object } = merge(context, scope, { live: undefined, applied }, options);
    return {
      stored: await createDraft(context, scope, await decodeMerged(scope, object), { ...options, tracking: "none" }),
      created: true,
    };
  }
  const make = async (standing: CacheEntry): Promise<Draft> => {
    const live = await standingObject(resource, standing);
    const { object } = merge(context, scope, { live, applied }, options);
    return object === standing.object ? draftOf(standing.object) : decodeMerged(scope, object);
  };
  return { stored: await replaceObject(context, scope, { make, tracking: "none" }, options), created: false };
}

function decodeMerged(scope: RequestScope, object: ApplyResult["object"]): Promise<Draft> {
  return decodeBody(scope, object as UncheckedObject, { fieldValidation: "Ignore" });
}

function merge(
  context: ServerContext,
  scope: RequestScope,
  { live, applied }: { readonly live: Draft | undefined; readonly applied: Draft },
  { force }: PatchOptions,
): ApplyResult {
  const { resource, subresource } = scope;
  try {
    return apply({
      live,
      applied,
      force,
      manager: managerOf(scope),
      facts: resource.facts,
      apiVersion: resource.apiVersion,
      now: context.clock.now(),
      subresource,
      resetFields: resetFields(resource, subresource),
    });
  } catch (error) {
    throw error instanceof ApplyConflictError ? error.toStatusError() : error;
  }
}

/** The configuration as a draft; it must name its kind and have a manager. */
function checkApplied(scope: RequestScope, patch: unknown): Draft {
  const { resource, fieldManager = "", name } = scope;
  if (fieldManager === "") {
    throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [field.required("fieldManager", "is required for apply patch")]);
  }
  if (typeof patch !== "object" || patch === null || Array.isArray(patch))
    throw badRequest("error decoding YAML: the configuration is no object");
  const applied = patch as Draft;
  if (applied.kind !== resource.kind || applied.apiVersion !== resource.apiVersion) {
    const expected = `${resource.apiVersion}, Kind=${resource.kind}`;
    throw badRequest(
      `failed to create typed patch object (${scope.namespace}/${name}; ${applied.apiVersion}, Kind=${applied.kind}): expected ${expected}`,
    );
  }
  if (applied.metadata?.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
  knownFieldsOf(scope, applied, resource, { fieldValidation: "Strict" });
  const metadata = { ...applied.metadata };
  metadata.name ??= name;
  if (resource.namespaced) metadata.namespace ??= scope.namespace;
  return { ...applied, metadata };
}
