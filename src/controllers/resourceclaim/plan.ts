// The resource claims that pods get from templates, and when claims are given back. Pure.
import { isPodTerminal } from "../../api/index.ts";
import type { Pod, PodResourceClaimStatus } from "../../api/types/core/v1.ts";
import type { ResourceClaim, ResourceClaimTemplate } from "../../api/types/resource/v1.ts";
import { isControlledBy, newControllerRef } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type Claim = DeepReadonly<ResourceClaim>;

/** On a claim: by which name its pod refers to it. */
export const POD_CLAIM_NAME = "resource.kubernetes.io/pod-claim-name";
/** Set by whoever allocates: the claim stays until what it holds is given back. */
export const DELETE_PROTECTION = "resource.kubernetes.io/delete-protection";

/** Whether nothing of the pod will use devices any more. */
export function isDone(pod: DeepReadonly<Pod>): boolean {
  const neverStarted = pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName;
  return isPodTerminal(pod) || neverStarted;
}

export interface PodClaimsPlan {
  /** By the name that the pod gives it. */
  readonly create: ReadonlyMap<string, ResourceClaim>;
  /** Of claims that are there. */
  readonly statuses: readonly PodResourceClaimStatus[];
  /** Templates that the pod names and that are not there. */
  readonly missing: readonly string[];
}

/** `claims` are those of the pod's namespace; `template` answers one by its name. */
export function planPodClaims(
  pod: DeepReadonly<Pod>,
  claims: readonly Claim[],
  template: (name: string) => DeepReadonly<ResourceClaimTemplate> | undefined,
): PodClaimsPlan {
  const create = new Map<string, ResourceClaim>();
  const statuses: PodResourceClaimStatus[] = [];
  const missing: string[] = [];
  const isNeeded = pod.metadata.deletionTimestamp === undefined && !isDone(pod);
  for (const { name, resourceClaimTemplateName } of isNeeded ? (pod.spec?.resourceClaims ?? []) : []) {
    if (resourceClaimTemplateName === undefined) continue;
    const known = claims.find((claim) => isControlledBy(claim, pod) && claim.metadata.annotations?.[POD_CLAIM_NAME] === name);
    const found = known === undefined ? template(resourceClaimTemplateName) : undefined;
    if (known !== undefined) statuses.push({ name, resourceClaimName: known.metadata.name });
    else if (found === undefined) missing.push(resourceClaimTemplateName);
    else create.set(name, claimOf(pod, name, found));
  }
  return { create, statuses, missing };
}

function claimOf(pod: DeepReadonly<Pod>, name: string, { spec }: DeepReadonly<ResourceClaimTemplate>): ResourceClaim {
  const { labels, annotations } = spec.metadata ?? {};
  return {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceClaim",
    metadata: {
      generateName: `${pod.metadata.name}-${name}-`,
      namespace: pod.metadata.namespace,
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      annotations: { ...annotations, [POD_CLAIM_NAME]: name },
      ownerReferences: [newControllerRef(pod, { apiVersion: "v1", kind: "Pod" })],
    },
    spec: spec.spec as ResourceClaim["spec"],
  };
}

export interface ClaimPlan {
  /** The status with reservations of pods that still need them; undefined when it is so already. */
  readonly status?: Claim["status"];
  /** Nothing is allocated any more. */
  readonly isReleased?: boolean;
  /** Its pod needs it no more. */
  readonly isToDelete?: boolean;
}

/** `podOf` answers a pod of the claim's namespace; only one of the same uid counts. */
export function planClaim(claim: Claim, podOf: (name: string) => DeepReadonly<Pod> | undefined): ClaimPlan {
  const { reservedFor = [], allocation } = claim.status ?? {};
  const isReserved = ({ resource, name, uid, apiGroup = "" }: (typeof reservedFor)[number]) => {
    if (resource !== "pods" || apiGroup !== "") return true;
    const pod = podOf(name);
    return pod !== undefined && pod.metadata.uid === uid && !isDone(pod);
  };
  const valid = reservedFor.filter(isReserved);
  const isReleased = valid.length === 0 && allocation !== undefined && reservedFor.length > 0;
  const isFreed = isReleased || (valid.length === 0 && allocation !== undefined && claim.metadata.deletionTimestamp !== undefined);
  const { allocation: _, reservedFor: __, devices, ...rest } = claim.status ?? {};
  const kept = isFreed
    ? rest
    : { ...rest, ...(allocation === undefined ? {} : { allocation }), ...(devices === undefined ? {} : { devices }) };
  const isChanged = isFreed || valid.length < reservedFor.length;
  const owner = claim.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === "Pod");
  const ownerPod = owner === undefined ? undefined : podOf(owner.name);
  const isOver = ownerPod !== undefined && ownerPod.metadata.uid === owner?.uid && isDone(ownerPod);
  return {
    ...(isChanged ? { status: { ...kept, ...(valid.length === 0 ? {} : { reservedFor: valid }) } } : {}),
    ...(isFreed ? { isReleased: true } : {}),
    ...(isOver && valid.length === 0 && claim.metadata.deletionTimestamp === undefined ? { isToDelete: true } : {}),
  };
}

/** The claims that the pod uses, as far as they are known. */
export function claimNames({ spec, status }: DeepReadonly<Pod>): readonly string[] {
  const direct = (spec?.resourceClaims ?? []).map(({ resourceClaimName }) => resourceClaimName);
  const made = (status?.resourceClaimStatuses ?? []).map(({ resourceClaimName }) => resourceClaimName);
  return [...direct, ...made].filter((name): name is string => name !== undefined && name !== "");
}
