// What to do about one object: from its place in the graph, and from what became of its owners.
import type { DeepReadonly, ObjectMeta, OwnerReference } from "../../machinery/index.ts";
import { FOREGROUND_FINALIZER, type GraphNode, ORPHAN_FINALIZER } from "./owner-graph.ts";

/** What an object in the graph waits for. */
export type Task = "nothing" | "orphanDependents" | "finishForeground" | "checkOwners";

export function taskOf(node: GraphNode): Task {
  if (node.place === undefined) return "nothing";
  if (node.deletion === "orphan") return "orphanDependents";
  if (node.deletion === "foreground") return node.blockingDependents === 0 ? "finishForeground" : "nothing";
  return node.deletion === "none" && node.owners.length > 0 ? "checkOwners" : "nothing";
}

/** An owner is there (`solid`), is not (`dangling`), or goes once its dependents are gone (`waiting`). */
export type OwnerState = "solid" | "dangling" | "waiting";

export interface DependentView {
  readonly metadata: DeepReadonly<ObjectMeta>;
  /** The state of each owner, by the uid in the reference. */
  readonly owners: readonly { readonly uid: string; readonly state: OwnerState }[];
  readonly hasDependents: boolean;
  /** Whether one of its own dependents waits for its dependents, as in a circle of owners. */
  readonly hasDeletingDependent: boolean;
}

export type DependentPlan =
  | { readonly action: "keep" }
  /** Removes the references to owners that are gone or going: another owner lives. */
  | { readonly action: "dropOwners"; readonly uids: ReadonlySet<string> }
  /** `unblocks`: its references stop blocking the owners first, so that a circle can end. */
  | { readonly action: "delete"; readonly policy: "Background" | "Foreground" | "Orphan"; readonly unblocks: boolean };

/** @see kubernetes `pkg/controller/garbagecollector/garbagecollector.go`, attemptToDeleteItem */
export function planDependent({ metadata, owners, hasDependents, hasDeletingDependent }: DependentView): DependentPlan {
  const lost = owners.filter(({ state }) => state !== "solid");
  if (lost.length === 0) return { action: "keep" };
  if (lost.length < owners.length) return { action: "dropOwners", uids: new Set(lost.map(({ uid }) => uid)) };
  if (hasDependents && lost.some(({ state }) => state === "waiting")) {
    return { action: "delete", policy: "Foreground", unblocks: hasDeletingDependent };
  }
  return { action: "delete", policy: policyByFinalizers(metadata.finalizers ?? []), unblocks: false };
}

/** A policy that someone asked for before stays. */
function policyByFinalizers(finalizers: readonly string[]): "Background" | "Foreground" | "Orphan" {
  if (finalizers.includes(ORPHAN_FINALIZER)) return "Orphan";
  return finalizers.includes(FOREGROUND_FINALIZER) ? "Foreground" : "Background";
}

/** The text of the event about an owner in another namespace. */
export function invalidOwnerMessage({ apiVersion, kind, name, uid }: DeepReadonly<OwnerReference>, namespace: string): string {
  const owner = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
  return `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`;
}
