// Which objects a list or watch is about.
import type { Resource } from "../../api/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";

export interface SelectionOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface Selection {
  /** Absent: all match. */
  readonly matches?: (entry: CacheEntry) => boolean;
  /** The only name that can match. */
  readonly name?: string;
}

export function parseSelection(_resource: Resource, _options: SelectionOptions): Selection {
  return {};
}
