// Which images were put on a node by `k8ts image load`: the command writes the list, the node's agent reads it.
import { readJson, writePrivate } from "../system/files.ts";
import { normaliseReference } from "./reference.ts";

export function recordLoadedImages(file: string, references: readonly string[]): void {
  const known = readJson<readonly string[]>(file) ?? [];
  writePrivate(file, JSON.stringify([...new Set([...known, ...references])].sort()));
}

/** Whether `image`, as a pod names it, is in the list. */
export function isImageLoaded(file: string, image: string): boolean {
  return (readJson<readonly string[]>(file) ?? []).includes(normaliseReference(image));
}
