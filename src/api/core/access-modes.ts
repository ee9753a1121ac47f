// The access modes of volumes and claims.
import { type FieldError, field } from "../../machinery/index.ts";
import { checkOneOf } from "../validation/checks.ts";

const shortNames: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** `RWO,RWX`, always in the same order. */
export function accessModesText(modes: readonly string[] = []): string {
  return Object.keys(shortNames)
    .filter((mode) => modes.includes(mode))
    .map((mode) => shortNames[mode])
    .join(",");
}

export function validateAccessModes(errors: FieldError[], path: string, modes: readonly string[] = []): void {
  for (const mode of modes) checkOneOf(errors, path, mode, Object.keys(shortNames).sort());
  if (modes.includes("ReadWriteOncePod") && new Set(modes).size > 1) {
    errors.push(field.forbidden(path, "may not use ReadWriteOncePod with other access modes"));
  }
}
