// The ResourceClaims that a pod uses. Pure.
import { isControlledBy } from "../../../client/index.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import type { Claim } from "./allocator.ts";

/** Or why they cannot be told, in upstream's words. `find` answers the claim of a name in the pod's namespace. */
export function podResourceClaims({ pod, namespace }: PodInfo, find: (name: string) => Claim | undefined): readonly Claim[] | string {
  const claims: Claim[] = [];
  for (const { name, resourceClaimName, resourceClaimTemplateName } of pod.spec?.resourceClaims ?? []) {
    const made = pod.status?.resourceClaimStatuses?.find((status) => status.name === name);
    if (resourceClaimName === undefined && resourceClaimTemplateName !== undefined && made === undefined) {
      return `pod "${namespace}/${pod.metadata.name ?? ""}": ResourceClaim not created yet`;
    }
    const claimName = resourceClaimName ?? made?.resourceClaimName;
    // A template may turn out to need no claim.
    if (claimName === undefined) continue;
    const claim = find(claimName);
    if (claim === undefined) return `resourceclaim "${claimName}" not found`;
    if (claim.metadata.deletionTimestamp !== undefined) return `resourceclaim "${claimName}" is being deleted`;
    if (resourceClaimName === undefined && !isControlledBy(claim, pod)) {
      return `ResourceClaim ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata.name ?? ""} (pod is not owner)`;
    }
    claims.push(claim);
  }
  return claims;
}
