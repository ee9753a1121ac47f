// Unknown, doubled and ill-typed fields of what a client sent, treated as its fieldValidation wants.
import type { RequestScope, Resource, WriteOptions } from "../../api/index.ts";
import { badRequest, copyJson, type FittedValue, fitToType } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";

/** A private copy of `body` without what its type does not know; refuses or warns about that. Values of a wrong type are always refused. */
export function knownFieldsOf(scope: RequestScope, body: object, resource: Resource, options: WriteOptions): Draft {
  const { fieldValidation = "Warn", duplicateFields = [] } = options;
  const { object, unknown, typeError } = fit(resource, body);
  if (typeError !== undefined) throw unusable(resource, typeError);
  const problems = [...duplicateFields, ...unknown];
  if (problems.length > 0 && fieldValidation !== "Ignore") {
    if (fieldValidation === "Strict") throw unusable(resource, `strict decoding error: ${problems.join(", ")}`);
    for (const text of problems) scope.warn?.(text);
  }
  return object as Draft;
}

function fit({ prune, facts }: Resource, body: object): FittedValue {
  if (prune === undefined) return fitToType(body, facts);
  const object = copyJson(body) as Record<string, unknown>;
  return { object, ...prune(object) };
}

function unusable({ kind, version }: Resource, problem: string): Error {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${problem}`);
}
