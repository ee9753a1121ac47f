// Unknown, doubled and ill-typed fields of what a client sent, treated as its fieldValidation wants.
import type { RequestScope, Resource, WriteOptions } from "../../api/index.ts";
import { badRequest, pruneUnknown } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";

/** Removes from `draft` what its type does not know; refuses or warns about it. Values of a wrong type are always refused. */
export function checkFieldsOf(scope: RequestScope, draft: Draft, resource: Resource, options: WriteOptions): void {
  const { fieldValidation = "Warn", duplicateFields = [] } = options;
  const { unknown, typeError } = resource.prune === undefined ? pruneUnknown(draft, resource.facts) : resource.prune(draft);
  if (typeError !== undefined) throw unusable(resource, typeError);
  const problems = [...duplicateFields, ...unknown];
  if (problems.length === 0 || fieldValidation === "Ignore") return;
  if (fieldValidation === "Strict") throw unusable(resource, `strict decoding error: ${problems.join(", ")}`);
  for (const text of problems) scope.warn?.(text);
}

function unusable({ kind, version }: Resource, problem: string): Error {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${problem}`);
}
