// What an admission plugin sees of a write, and may do about it.
import type { RequestScope } from "../../api/index.ts";
import type { DeepReadonly, DeleteOptions, KubeObject } from "../../machinery/index.ts";
import type { Draft } from "../registry/draft.ts";

export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly scope: RequestScope;
  /** The object to be written, in the version in which it is kept; undefined for deletions. `mutate` may change it. */
  readonly object: Draft | undefined;
  /** What stands now; undefined for creations. */
  readonly old: DeepReadonly<KubeObject> | undefined;
  readonly isDryRun: boolean;
  readonly deleteOptions?: DeleteOptions | undefined;
}

/** Refuses by throwing a StatusError. Both calls may be synchronous, which is the fast way. */
export interface AdmissionPlugin {
  readonly name: string;
  /** The resources it cares about, as `group/plural` (`/pods`); absent: all. */
  readonly resources?: readonly string[];
  mutate?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
}
