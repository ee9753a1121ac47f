// Who owns whom, by uid: fed with objects as informers see them, it answers whom to look at next. It keeps no objects.
import type { ResourceRef } from "../../api/index.ts";
import type { DeepReadonly, KubeObject, ObjectMeta, OwnerReference } from "../../machinery/index.ts";

/** Finalizer of an object that goes after its dependents. */
export const FOREGROUND_FINALIZER = "foregroundDeletion";
/** Finalizer of an object that leaves its dependents behind. */
export const ORPHAN_FINALIZER = "orphan";

type Owners = readonly DeepReadonly<OwnerReference>[];

/** Where an object is to be found. */
export interface Place {
  readonly resource: ResourceRef<KubeObject>;
  /** "" for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

export interface GraphNode {
  readonly uid: string;
  /** Undefined while the object is known from references to it alone. */
  readonly place: Place | undefined;
  readonly owners: Owners;
  readonly dependents: ReadonlySet<GraphNode>;
  /** How many dependents have a reference to it with blockOwnerDeletion. */
  readonly blockingDependents: number;
  /** How it is being deleted. */
  readonly deletion: Deletion;
}

export type Deletion = "none" | "plain" | "foreground" | "orphan";

/** A reference to an owner that is in another namespace, where it cannot be an owner. */
export interface InvalidOwner {
  readonly dependent: GraphNode;
  readonly reference: DeepReadonly<OwnerReference>;
}

/** What a change calls for. */
export interface GraphChange {
  /** Uids of the objects to look at; may hold one twice. */
  readonly check: readonly string[];
  readonly invalid: readonly InvalidOwner[];
}

interface Node extends GraphNode {
  place: Place | undefined;
  owners: Owners;
  dependents: Set<Node>;
  blockingDependents: number;
  deletion: Deletion;
}

interface Change extends GraphChange {
  readonly check: string[];
  readonly invalid: InvalidOwner[];
}

const NO_OWNERS: Owners = [];
const NOTHING: GraphChange = { check: [], invalid: [] };
/** Stands in for the set of a node without dependents; it is replaced, never filled. */
const NO_DEPENDENTS: Set<Node> = new Set();

/** @see kubernetes `pkg/controller/garbagecollector/graph_builder.go` */
export class OwnerGraph {
  /** A node is here while its object is there or while others refer to it. */
  readonly #nodes = new Map<string, Node>();

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** Takes in an object that is new or has changed. */
  observe(place: Place, metadata: DeepReadonly<ObjectMeta>): GraphChange {
    const node = this.#nodeOf(metadata.uid ?? "");
    const owners = metadata.ownerReferences ?? NO_OWNERS;
    const deletion = deletionOf(metadata);
    const isNew = node.place === undefined;
    node.place = place;
    if (!isNew && node.deletion === deletion && sameOwners(node.owners, owners)) return NOTHING;
    const change: Change = { check: [], invalid: [] };
    if (isNew) for (const dependent of node.dependents) checkReferences(dependent, node, change);
    this.#setOwners(node, owners, change);
    setDeletion(node, deletion, change);
    return change;
  }

  /** Takes in that the object is gone. */
  forget(uid: string): GraphChange {
    const node = this.#nodes.get(uid);
    if (node?.place === undefined) return NOTHING;
    const change: Change = { check: [], invalid: [] };
    this.#setOwners(node, NO_OWNERS, change);
    node.place = undefined;
    node.deletion = "none";
    for (const dependent of node.dependents) change.check.push(dependent.uid);
    this.#dropIfUnused(node);
    return change;
  }

  #nodeOf(uid: string): Node {
    let node = this.#nodes.get(uid);
    if (node === undefined) {
      node = { uid, place: undefined, owners: NO_OWNERS, dependents: NO_DEPENDENTS, blockingDependents: 0, deletion: "none" };
      this.#nodes.set(uid, node);
    }
    return node;
  }

  #setOwners(node: Node, owners: Owners, change: Change): void {
    const before = node.owners;
    node.owners = owners;
    const oldLinks = linksOf(before);
    const newLinks = linksOf(owners);
    for (const [uid, isBlocking] of newLinks) this.#link(node, uid, { isBlocking, wasBlocking: oldLinks.get(uid) ?? false }, change);
    for (const [uid, wasBlocking] of oldLinks) if (!newLinks.has(uid)) this.#unlink(node, uid, wasBlocking, change);
    for (const reference of owners) {
      if (before.some((other) => sameReference(other, reference))) continue;
      const owner = this.#nodes.get(reference.uid);
      if (owner !== undefined) checkReference(node, reference, owner, change);
    }
  }

  #link(node: Node, uid: string, { isBlocking, wasBlocking }: { isBlocking: boolean; wasBlocking: boolean }, change: Change): void {
    if (uid === node.uid) return;
    const owner = this.#nodeOf(uid);
    if (owner.dependents === NO_DEPENDENTS) owner.dependents = new Set();
    owner.dependents.add(node);
    block(owner, Number(isBlocking) - Number(wasBlocking), change);
  }

  #unlink(node: Node, uid: string, wasBlocking: boolean, change: Change): void {
    const owner = this.#nodes.get(uid);
    if (owner === undefined || uid === node.uid) return;
    owner.dependents.delete(node);
    block(owner, -Number(wasBlocking), change);
    this.#dropIfUnused(owner);
  }

  #dropIfUnused(node: Node): void {
    if (node.dependents.size > 0) return;
    node.dependents = NO_DEPENDENTS;
    if (node.place === undefined) this.#nodes.delete(node.uid);
  }
}

/** Changes how many dependents block `owner`; without any its deletion goes on. */
function block(owner: Node, by: number, change: Change): void {
  owner.blockingDependents += by;
  if (by < 0 && owner.blockingDependents === 0 && owner.deletion === "foreground") change.check.push(owner.uid);
}

function setDeletion(node: Node, deletion: Deletion, change: Change): void {
  if (node.deletion === deletion) return;
  node.deletion = deletion;
  if (deletion === "foreground") for (const dependent of node.dependents) change.check.push(dependent.uid);
  if (deletion === "foreground" || deletion === "orphan") change.check.push(node.uid);
}

function checkReferences(dependent: Node, owner: Node, change: Change): void {
  for (const reference of dependent.owners) if (reference.uid === owner.uid) checkReference(dependent, reference, owner, change);
}

/** Has the dependent looked at unless `owner` is known to be there, as referred to, and to stay. */
function checkReference(dependent: Node, reference: DeepReadonly<OwnerReference>, owner: Node, change: Change): void {
  const { place } = owner;
  const isElsewhere = place !== undefined && place.namespace !== "" && place.namespace !== dependent.place?.namespace;
  if (isElsewhere) change.invalid.push({ dependent, reference });
  if (place === undefined || isElsewhere || owner.deletion === "foreground" || !isNamed(reference, place)) change.check.push(dependent.uid);
}

function isNamed({ apiVersion, kind, name }: DeepReadonly<OwnerReference>, place: Place): boolean {
  return name === place.name && kind === place.resource.kind && apiVersion === apiVersionOf(place.resource);
}

export function apiVersionOf({ group, version }: ResourceRef<KubeObject>): string {
  return group === "" ? version : `${group}/${version}`;
}

/** Uids of the owners, each with whether a reference to it blocks its deletion. */
function linksOf(owners: Owners): ReadonlyMap<string, boolean> {
  const links = new Map<string, boolean>();
  for (const { uid, blockOwnerDeletion } of owners) links.set(uid, blockOwnerDeletion === true || links.get(uid) === true);
  return links;
}

function sameOwners(a: Owners, b: Owners): boolean {
  return a === b || (a.length === b.length && a.every((reference, i) => sameReference(reference, b[i])));
}

function sameReference(a: DeepReadonly<OwnerReference>, b: DeepReadonly<OwnerReference> | undefined): boolean {
  return (
    a.uid === b?.uid &&
    a.name === b.name &&
    a.kind === b.kind &&
    a.apiVersion === b.apiVersion &&
    (a.blockOwnerDeletion ?? false) === (b.blockOwnerDeletion ?? false)
  );
}

function deletionOf({ deletionTimestamp, finalizers = [] }: DeepReadonly<ObjectMeta>): Deletion {
  if (deletionTimestamp === undefined) return "none";
  if (finalizers.includes(FOREGROUND_FINALIZER)) return "foreground";
  return finalizers.includes(ORPHAN_FINALIZER) ? "orphan" : "plain";
}
