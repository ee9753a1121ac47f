// What an admission plugin sees of a request, and may do about it.
import type { RequestScope } from "../../api/index.ts";
import type { DeepReadonly, DeleteOptions, KubeObject } from "../../machinery/index.ts";
import type { Draft } from "../registry/draft.ts";
import type { MutationPass } from "./mutation-pass.ts";

export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly scope: RequestScope;
  /**
   * The object to be written, in the version in which it is kept; undefined for deletions. `mutate` may change it. Of
   * subresources that take another kind (bindings, evictions, tokens) and of connections it is what the client sent.
   */
  readonly object: Draft | undefined;
  /** What stands now; undefined for creations. */
  readonly old: DeepReadonly<KubeObject> | undefined;
  readonly isDryRun: boolean;
  readonly deleteOptions?: DeleteOptions | undefined;
  /** Set when clients see `object` as another kind: the Scale of a Deployment. */
  readonly view?: ObjectView | undefined;
}

/** An object as clients of a subresource see it. */
export interface ObjectView {
  show(object: DeepReadonly<KubeObject>): Draft;
  /** Changes `object` to what `shown` wants. */
  take(shown: Draft, object: Draft): void;
}

/** `mayMutate` of plugins that change nothing but what is about to be created. */
export function isCreation({ operation }: AdmissionRequest): boolean {
  return operation === "CREATE";
}

/** Refuses by throwing a StatusError. Both calls may be synchronous, which is the fast way. */
export interface AdmissionPlugin {
  readonly name: string;
  /** The resources it cares about, as `group/plural` (`/pods`); absent: all. */
  readonly resources?: readonly string[];
  mutate?(request: AdmissionRequest, pass: MutationPass): void | Promise<void>;
  /** Whether `mutate` may change the object of such a request; an update is spared the call otherwise. Absent: always. */
  mayMutate?(request: AdmissionRequest): boolean;
  validate?(request: AdmissionRequest): void | Promise<void>;
}
