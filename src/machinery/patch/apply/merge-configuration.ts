// Merging a configuration into an object without asking who owns what: how mutating admission policies change objects.
import type { TypeFacts } from "../../schema.ts";
import { isObject, type JsonObject, PatchError } from "../patch-error.ts";
import { mergeValues } from "./merge-values.ts";
import { hasElements, hasMembers, itemShape, memberShape, rootShape, type Shape } from "./shape.ts";
import { typedProblems } from "./typed-problems.ts";

/** `live` with all that `applied` says; shares with both. Throws PatchError for what does not fit the type or is atomic. */
export function mergeConfiguration(live: JsonObject, applied: JsonObject, facts: TypeFacts | undefined): JsonObject {
  const shape = rootShape(facts);
  const problems = typedProblems(applied, shape);
  if (problems.length > 0) {
    const text = problems.length === 1 ? problems[0] : `errors:\n  ${problems.join("\n  ")}`;
    throw new PatchError("inapplicable", `failed to convert patch object to typed object: ${text}`);
  }
  const atomic = atomicPaths(applied, shape, "");
  if (atomic.length > 0) {
    const text = `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(", ")}`;
    throw new PatchError("inapplicable", text);
  }
  return mergeValues(live, applied, shape) as JsonObject;
}

/** Lists, maps and structs that can only be replaced as a whole, which would drop what the configuration does not repeat. */
function atomicPaths(value: unknown, shape: Shape, path: string): string[] {
  if (hasMembers(value, shape)) {
    return Object.entries(value).flatMap(([key, member]) => atomicPaths(member, memberShape(shape, key), `${path}.${key}`));
  }
  if (hasElements(value, shape)) {
    return value.flatMap((element, index) => atomicPaths(element, itemShape(shape), `${path}[${index}]`));
  }
  return isObject(value) || Array.isArray(value) ? [path] : [];
}
