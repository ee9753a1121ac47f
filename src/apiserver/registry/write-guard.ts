// Things that only one object may have (addresses and ports of services): taken before a write, given back when it fails.
import type { FieldError } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";

export interface Reservation {
  readonly errors: readonly FieldError[];
  /** To be called when the write is visible in the cache, or has failed. */
  release(): void;
}

export interface WriteGuard {
  /** Takes what `draft` asks for and fills in what it leaves open; `old` is what stands now. */
  reserve(draft: Draft, old: Draft | undefined): Reservation;
}
