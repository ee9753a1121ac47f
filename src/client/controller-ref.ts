// Which objects belong to a controller: by their owner reference, and by adopting orphans that its selector matches.
// `claimObjects` decides; `carryOutClaims` writes.
import type { ResourceRef } from "../api/index.ts";
import {
  type DeepReadonly,
  isInvalid,
  isNotFound,
  type KubeObject,
  type LabelSelectorMatcher,
  type OwnerReference,
} from "../machinery/index.ts";
import type { Client } from "./client.ts";

/** The reference that says who manages `object`. */
export function getControllerOf(object: DeepReadonly<KubeObject>): DeepReadonly<OwnerReference> | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** Whether `object` is managed by `controller`. */
export function isControlledBy(object: DeepReadonly<KubeObject>, controller: DeepReadonly<KubeObject>): boolean {
  return getControllerOf(object)?.uid === controller.metadata.uid;
}

/** The reference that a controller puts on what it makes. */
export function newControllerRef(
  controller: DeepReadonly<KubeObject>,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): OwnerReference {
  const { name = "", uid = "" } = controller.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

export interface Claims<T extends KubeObject> {
  /** Owned, and the selector matches. */
  readonly claimed: readonly DeepReadonly<T>[];
  /** Orphans that the selector matches: to be given an owner reference. */
  readonly adopt: readonly DeepReadonly<T>[];
  /** Owned, but the selector does not match any more: to lose the owner reference. */
  readonly release: readonly DeepReadonly<T>[];
}

export interface ClaimInput<T extends KubeObject> {
  readonly controller: DeepReadonly<KubeObject>;
  readonly objects: readonly DeepReadonly<T>[];
  /** The controller's selector. */
  readonly selector: LabelSelectorMatcher;
}

/** @see kubernetes `pkg/controller/controller_ref_manager.go`, ClaimObject */
export function claimObjects<T extends KubeObject>({ controller, objects, selector }: ClaimInput<T>): Claims<T> {
  const claimed: DeepReadonly<T>[] = [];
  const adopt: DeepReadonly<T>[] = [];
  const release: DeepReadonly<T>[] = [];
  const isControllerLeaving = controller.metadata.deletionTimestamp !== undefined;
  for (const object of objects) {
    const owner = getControllerOf(object);
    const isMatch = selector.matches(object.metadata.labels);
    if (owner !== undefined) {
      if (owner.uid !== controller.metadata.uid) continue;
      if (isMatch) claimed.push(object);
      else if (!isControllerLeaving) release.push(object);
      continue;
    }
    const isLeaving = object.metadata.deletionTimestamp !== undefined;
    const isSameNamespace = (object.metadata.namespace ?? "") === (controller.metadata.namespace ?? "");
    if (isMatch && isSameNamespace && !isLeaving && !isControllerLeaving) adopt.push(object);
  }
  return { claimed, adopt, release };
}

/** A strategic merge patch that makes `controller` the owner; the uid guards against another object of that name. */
export function adoptPatch(owner: OwnerReference, object: DeepReadonly<KubeObject>, finalizers: readonly string[] = []): unknown {
  const added = finalizers.length === 0 ? {} : { finalizers };
  return { metadata: { ownerReferences: [owner], uid: object.metadata.uid, ...added } };
}

/** A strategic merge patch that removes the owner with `ownerUid`. */
export function releasePatch(ownerUid: string, object: DeepReadonly<KubeObject>, finalizers: readonly string[] = []): unknown {
  const removed = finalizers.length === 0 ? {} : { "$deleteFromPrimitiveList/finalizers": finalizers };
  return { metadata: { ownerReferences: [{ $patch: "delete", uid: ownerUid }], uid: object.metadata.uid, ...removed } };
}

export interface ClaimWork<T extends KubeObject> {
  readonly client: Client;
  readonly controller: DeepReadonly<KubeObject>;
  readonly controllerResource: ResourceRef<KubeObject>;
  /** What the objects are. */
  readonly resource: ResourceRef<T>;
  readonly claims: Claims<T>;
  /** Put on what is adopted, taken from what is released. */
  readonly finalizers?: readonly string[];
  readonly signal?: AbortSignal;
}

/** The controller in the informer is not the one on the server any more. */
export class StaleControllerError extends Error {
  readonly code = "STALE_CONTROLLER";
}

/** Adopts and releases; answers all objects that belong to the controller then. */
export async function carryOutClaims<T extends KubeObject>(work: ClaimWork<T>): Promise<readonly DeepReadonly<T>[]> {
  const { client, controller, controllerResource, resource, claims, finalizers, signal } = work;
  const apiVersion =
    controllerResource.group === "" ? controllerResource.version : `${controllerResource.group}/${controllerResource.version}`;
  const owner = newControllerRef(controller, { apiVersion, kind: controllerResource.kind });
  const patch = async (object: DeepReadonly<T>, body: unknown) => {
    const { namespace, name = "" } = object.metadata;
    return client.patch(resource, name, body, { namespace, signal, type: "application/strategic-merge-patch+json" });
  };
  if (claims.adopt.length > 0) await checkControllerIsLive(work);
  const adopted = await Promise.all(
    claims.adopt.map((object) => patch(object, adoptPatch(owner, object, finalizers)).catch(noneWhen(isNotFound))),
  );
  const isGone = (error: unknown) => isNotFound(error) || isInvalid(error);
  await Promise.all(claims.release.map((object) => patch(object, releasePatch(owner.uid, object, finalizers)).catch(noneWhen(isGone))));
  return [...claims.claimed, ...adopted.filter((object) => object !== undefined)];
}

/** Adoption by a controller that is being deleted would undo the garbage collector's orphaning. */
async function checkControllerIsLive({ client, controller, controllerResource, signal }: ClaimWork<KubeObject>): Promise<void> {
  const { namespace, name = "", uid } = controller.metadata;
  const live = await client.get(controllerResource, name, { namespace, signal });
  const why =
    live.metadata.uid !== uid ? "has been replaced" : live.metadata.deletionTimestamp !== undefined ? "has just been deleted" : undefined;
  if (why !== undefined) throw new StaleControllerError(`${controllerResource.kind} ${namespace ?? ""}/${name} ${why}`);
}

function noneWhen(predicate: (error: unknown) => boolean): (error: unknown) => undefined {
  return (error) => {
    if (!predicate(error)) throw error;
    return undefined;
  };
}
