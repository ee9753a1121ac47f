// Functions of expressions that make JSON patches.
import { type Overload, overload } from "../functions.ts";

/** A key as it stands in the path of a JSON patch. */
export const jsonPatchFunctions: readonly Overload[] = [
  overload("jsonpatch.escapeKey(string) -> string", (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1")),
];
