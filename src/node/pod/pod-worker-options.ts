// What a pod worker is given.
import type { NodeContext } from "../node-context.ts";
import type { PodObject } from "./pod-object.ts";
import type { EndCause, PendingResize } from "./pod-view.ts";

export interface PodWorkerOptions {
  readonly context: NodeContext;
  readonly pod: PodObject;
  /** The object is gone from the API, only the runtime still has the pod. */
  readonly isOrphan?: boolean;
  /** The node refuses the pod. */
  readonly rejection?: EndCause | undefined;
  /** For a pod that is not in the API itself: the object there that shows it, when there is one. */
  readonly mirror?: (() => PodObject | undefined) | undefined;
  /** Why the node has no room for the resources of this specification, or undefined when it has. */
  readonly judgeResize: (wanted: PodObject) => PendingResize | undefined;
  /** The pod may have given resources back. */
  readonly onRoom: () => void;
  readonly allocatable: () => Readonly<Record<string, string>>;
  /** Nothing of the pod is left; the worker is of no more use. */
  readonly onForgotten: () => void;
  readonly signal: AbortSignal;
}
