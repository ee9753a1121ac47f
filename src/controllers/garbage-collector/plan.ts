// What becomes of an object, given what is known of its owners.
import type { DeepReadonly, KubeObject, OwnerReference } from "../../machinery/index.ts";
import { FOREGROUND_FINALIZER, type GraphNode, hasFinalizer, isDeletingDependents, ORPHAN_FINALIZER, ownersOf } from "./owner-graph.ts";

export interface ClassifiedOwners {
  readonly solid: readonly DeepReadonly<OwnerReference>[];
  /** References to what is not there. */
  readonly dangling: readonly DeepReadonly<OwnerReference>[];
  /** Owners that are being deleted and wait for this object to go first. */
  readonly waiting: readonly DeepReadonly<OwnerReference>[];
}

export type CollectorPlan =
  | { readonly type: "keep" }
  | { readonly type: "dropOwners"; readonly ownerReferences: readonly DeepReadonly<OwnerReference>[] }
  /** `unblocks`: a circle of owners that wait for each other is broken first. */
  | { readonly type: "delete"; readonly propagationPolicy: "Foreground" | "Background" | "Orphan"; readonly unblocks: boolean };

/** @see kubernetes `pkg/controller/garbagecollector/garbagecollector.go`, attemptToDeleteItem */
export function planObject(node: GraphNode, object: DeepReadonly<KubeObject>, owners: ClassifiedOwners): CollectorPlan {
  const { solid, dangling, waiting } = owners;
  if (solid.length > 0) {
    if (dangling.length === 0 && waiting.length === 0) return { type: "keep" };
    const dropped = new Set([...dangling, ...waiting].map(({ uid }) => uid));
    return { type: "dropOwners", ownerReferences: ownersOf(object).filter(({ uid }) => !dropped.has(uid)) };
  }
  if (waiting.length > 0 && node.dependents.size > 0) {
    const unblocks = [...node.dependents].some(({ seen }) => seen !== undefined && isDeletingDependents(seen.object));
    return { type: "delete", propagationPolicy: "Foreground", unblocks };
  }
  const propagationPolicy = hasFinalizer(object, ORPHAN_FINALIZER)
    ? "Orphan"
    : hasFinalizer(object, FOREGROUND_FINALIZER)
      ? "Foreground"
      : "Background";
  return { type: "delete", propagationPolicy, unblocks: false };
}

/** Dependents that must go before the owner may. */
export function blockingDependents(node: GraphNode): readonly GraphNode[] {
  return [...node.dependents].filter(({ seen }) =>
    seen === undefined
      ? false
      : ownersOf(seen.object).some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion === true),
  );
}
