// Who owns a claim of a StatefulSet, and so what ends it: persistentVolumeClaimRetentionPolicy as owner references.
import type { StatefulSet } from "../../api/types/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/types/core/v1.ts";
import { newControllerRef } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, type OwnerReference } from "../../machinery/index.ts";
import { isInRange, ordinalOf } from "./identity.ts";

const SET_KIND = { apiVersion: "apps/v1", kind: "StatefulSet" };
const POD_KIND = { apiVersion: "v1", kind: "Pod" };

type ReadonlyClaim = DeepReadonly<PersistentVolumeClaim>;

export interface ClaimOwners {
  readonly set: DeepReadonly<StatefulSet>;
  readonly pod: DeepReadonly<Pod>;
}

function policyOf({ spec }: DeepReadonly<StatefulSet>) {
  const { whenDeleted = "Retain", whenScaled = "Retain" } = spec?.persistentVolumeClaimRetentionPolicy ?? {};
  return { endsWithSet: whenDeleted === "Delete", endsWithScaling: whenScaled === "Delete" };
}

function wantedOwner({ set, pod }: ClaimOwners): OwnerReference | undefined {
  const { endsWithSet, endsWithScaling } = policyOf(set);
  if (endsWithScaling && !isInRange(set, ordinalOf(pod))) return newControllerRef(pod, POD_KIND);
  return endsWithSet ? newControllerRef(set, SET_KIND) : undefined;
}

const isRefTo = (reference: DeepReadonly<OwnerReference>, { kind, apiVersion }: typeof SET_KIND, name: string | undefined) =>
  reference.kind === kind && reference.apiVersion === apiVersion && reference.name === name;

/** Whether something else manages the claim, or a set or pod of the same name that is gone: then the policy does not apply. */
export function hasOtherController({ set, pod }: ClaimOwners, claim: ReadonlyClaim): boolean {
  const { endsWithSet, endsWithScaling } = policyOf(set);
  if (!endsWithSet && !endsWithScaling) return false;
  return (claim.metadata.ownerReferences ?? []).some((reference) => {
    if (isRefTo(reference, SET_KIND, set.metadata.name)) return reference.uid !== set.metadata.uid;
    if (isRefTo(reference, POD_KIND, pod.metadata.name)) return reference.uid !== pod.metadata.uid;
    return reference.controller === true;
  });
}

/** The claim with the owners that the policy wants; undefined when it has them, or another controller. */
export function withOwners(owners: ClaimOwners, claim: ReadonlyClaim): ReadonlyClaim | undefined {
  if (hasOtherController(owners, claim)) return undefined;
  const { set, pod } = owners;
  const present = claim.metadata.ownerReferences ?? [];
  const wanted = wantedOwner(owners);
  const others = present.filter(
    (reference) => !isRefTo(reference, SET_KIND, set.metadata.name) && !isRefTo(reference, POD_KIND, pod.metadata.name),
  );
  const kept = present.find(({ uid }) => uid === wanted?.uid);
  const ownerReferences = wanted === undefined ? others : [...others, kept ?? wanted];
  if (deepEqual(sortedUids(ownerReferences), sortedUids(present))) return undefined;
  return { ...claim, metadata: { ...claim.metadata, ownerReferences } };
}

function sortedUids(references: readonly DeepReadonly<OwnerReference>[]): readonly string[] {
  return references.map(({ uid }) => uid).sort();
}

/** Whether the claim belongs to an earlier pod of that name and is about to go with it. */
export function isStale({ set, pod }: ClaimOwners, claim: ReadonlyClaim): boolean {
  if (!policyOf(set).endsWithScaling) return false;
  return (claim.metadata.ownerReferences ?? []).some(
    (reference) => isRefTo(reference, POD_KIND, pod.metadata.name) && reference.uid !== pod.metadata.uid,
  );
}
