// Who owns whom, over all resources. Kept by the informers' events; tells which objects to look at.
import type { ResourceRef } from "../../api/index.ts";
import type { DeepReadonly, KubeObject, OwnerReference } from "../../machinery/index.ts";

export type ResourceOf = ResourceRef<KubeObject>;

/** An object in the graph, or one that others name as their owner and that no informer has shown. */
export interface GraphNode {
  readonly uid: string;
  /** Undefined while only references speak of it. */
  seen: { readonly object: DeepReadonly<KubeObject>; readonly resource: ResourceOf } | undefined;
  /** Objects with an owner reference to this uid. */
  readonly dependents: Set<GraphNode>;
}

/** What the graph wants to be looked at. */
export interface GraphListener {
  attemptToDelete(uid: string): void;
  attemptToOrphan(uid: string): void;
  /** `owner` lives in another namespace than `dependent`: the reference leads nowhere. */
  invalidOwnerNamespace(dependent: DeepReadonly<KubeObject>, owner: DeepReadonly<OwnerReference>): void;
}

export const FOREGROUND_FINALIZER = "foregroundDeletion";
export const ORPHAN_FINALIZER = "orphan";

export function isLeaving({ metadata }: DeepReadonly<KubeObject>): boolean {
  return metadata.deletionTimestamp !== undefined;
}

export function hasFinalizer({ metadata }: DeepReadonly<KubeObject>, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) === true;
}

/** Whether the object stays until its dependents are gone. */
export function isDeletingDependents(object: DeepReadonly<KubeObject>): boolean {
  return isLeaving(object) && hasFinalizer(object, FOREGROUND_FINALIZER);
}

export function ownersOf({ metadata }: DeepReadonly<KubeObject>): readonly DeepReadonly<OwnerReference>[] {
  return metadata.ownerReferences ?? [];
}

/** Whether `reference`, standing in `dependent`, speaks of the object that was seen. */
export function refersTo(
  reference: DeepReadonly<OwnerReference>,
  dependent: DeepReadonly<KubeObject>,
  { object, resource }: NonNullable<GraphNode["seen"]>,
): boolean {
  if (reference.kind !== resource.kind || reference.name !== object.metadata.name || groupOf(reference) !== resource.group) return false;
  return !resource.namespaced || object.metadata.namespace === dependent.metadata.namespace;
}

/** The API group of `apiVersion`. */
export function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

/** @see kubernetes `pkg/controller/garbagecollector/graph_builder.go` */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #listener: GraphListener;

  constructor(listener: GraphListener) {
    this.#listener = listener;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** An object as it is now. */
  set(resource: ResourceOf, object: DeepReadonly<KubeObject>): void {
    const node = this.#node(object.metadata.uid ?? "");
    const old = node.seen?.object;
    node.seen = { object, resource };
    if (old === undefined) this.#checkDependents(node);
    this.#relink(node, old, object);
    this.#react(node, old, object);
  }

  /** The object `uid` is gone. */
  delete(uid: string): void {
    const node = this.#nodes.get(uid);
    if (node === undefined) return;
    this.#nodes.delete(uid);
    for (const dependent of node.dependents) this.#listener.attemptToDelete(dependent.uid);
    if (node.seen !== undefined) for (const owner of ownersOf(node.seen.object)) this.#unlink(owner.uid, node);
  }

  #node(uid: string): GraphNode {
    let node = this.#nodes.get(uid);
    if (node === undefined) this.#nodes.set(uid, (node = { uid, seen: undefined, dependents: new Set() }));
    return node;
  }

  #relink(node: GraphNode, old: DeepReadonly<KubeObject> | undefined, object: DeepReadonly<KubeObject>): void {
    if (old !== undefined && old.metadata.ownerReferences === object.metadata.ownerReferences) return;
    const present = new Set(ownersOf(object).map(({ uid }) => uid));
    if (old !== undefined) for (const { uid } of ownersOf(old)) if (!present.has(uid)) this.#unlink(uid, node);
    for (const reference of ownersOf(object)) this.#link(reference, node, object);
  }

  #link(reference: DeepReadonly<OwnerReference>, node: GraphNode, object: DeepReadonly<KubeObject>): void {
    const owner = this.#node(reference.uid);
    const isNew = !owner.dependents.has(node);
    owner.dependents.add(node);
    if (owner.seen === undefined) {
      // Nobody has shown it: look whether it is there.
      if (isNew) this.#listener.attemptToDelete(owner.uid);
      return;
    }
    if (!refersTo(reference, object, owner.seen)) {
      if (isNew) this.#mismatch(node, reference, owner.seen);
      return;
    }
    if (!isDeletingDependents(owner.seen.object)) return;
    this.#listener.attemptToDelete(node.uid);
    // A reference that does not block any more may have been the last.
    if (reference.blockOwnerDeletion !== true) this.#listener.attemptToDelete(owner.uid);
  }

  #unlink(ownerUid: string, dependent: GraphNode): void {
    const owner = this.#nodes.get(ownerUid);
    if (owner === undefined || !owner.dependents.delete(dependent)) return;
    if (owner.seen === undefined) {
      if (owner.dependents.size === 0) this.#nodes.delete(ownerUid);
    } else if (isDeletingDependents(owner.seen.object)) this.#listener.attemptToDelete(ownerUid);
  }

  /** An owner is seen at last: those that spoke of it may have meant another. */
  #checkDependents(node: GraphNode): void {
    if (node.seen === undefined) return;
    for (const dependent of node.dependents) {
      const object = dependent.seen?.object;
      const reference = object === undefined ? undefined : ownersOf(object).find(({ uid }) => uid === node.uid);
      if (object !== undefined && reference !== undefined && !refersTo(reference, object, node.seen)) {
        this.#mismatch(dependent, reference, node.seen);
      }
    }
  }

  #mismatch(dependent: GraphNode, reference: DeepReadonly<OwnerReference>, owner: NonNullable<GraphNode["seen"]>): void {
    this.#listener.attemptToDelete(dependent.uid);
    const object = dependent.seen?.object;
    const isElsewhere = owner.resource.namespaced && owner.object.metadata.namespace !== object?.metadata.namespace;
    if (object !== undefined && isElsewhere) this.#listener.invalidOwnerNamespace(object, reference);
  }

  /** Deletion that begins to wait, for orphaning or for dependents. */
  #react(node: GraphNode, old: DeepReadonly<KubeObject> | undefined, object: DeepReadonly<KubeObject>): void {
    if (!isLeaving(object)) return;
    const began = (finalizer: string) =>
      hasFinalizer(object, finalizer) && (old === undefined || !isLeaving(old) || !hasFinalizer(old, finalizer));
    if (began(ORPHAN_FINALIZER)) this.#listener.attemptToOrphan(node.uid);
    if (!began(FOREGROUND_FINALIZER)) return;
    for (const dependent of node.dependents) this.#listener.attemptToDelete(dependent.uid);
    this.#listener.attemptToDelete(node.uid);
  }
}
