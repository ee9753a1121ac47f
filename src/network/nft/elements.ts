// Commands of nft that add and delete elements of sets and maps, in pieces that the kernel takes.

/** Elements a command may carry; longer ones make the kernel's message too large. */
const ELEMENTS_PER_COMMAND = 1000;

/** A set or map of a table, such as `ip k8ts services`. */
export type CollectionPath = string;

/** `elements` are nft's texts, `key` or `key : value`. */
export function addElements(path: CollectionPath, elements: readonly string[]): string[] {
  return commands(`add element ${path}`, elements);
}

/** `keys` without values. */
export function deleteElements(path: CollectionPath, keys: readonly string[]): string[] {
  return commands(`delete element ${path}`, keys);
}

/** Runs `nft -f -` with a script, as one transaction; rejects with what nft says. */
export type RunNft = (script: string, signal?: AbortSignal) => Promise<void>;

function commands(command: string, elements: readonly string[]): string[] {
  const lines: string[] = [];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_COMMAND) {
    lines.push(`${command} { ${elements.slice(start, start + ELEMENTS_PER_COMMAND).join(", ")} }`);
  }
  return lines;
}
