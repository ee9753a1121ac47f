// The JSON of stored objects on its way into larger answers.
import type { Stored } from "../../api/index.ts";

export function jsonLength(stored: Stored): number {
  return stored.jsonBytes ?? stored.json.byteLength;
}

/** Copies `jsonLength` bytes. */
export function copyJson(stored: Stored, target: Buffer, at: number): void {
  if (stored.copyJson === undefined) target.set(stored.json, at);
  else stored.copyJson(target, at);
}
