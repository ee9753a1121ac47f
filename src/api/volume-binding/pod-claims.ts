// The claims that a pod's volumes use.

import type { DeepReadonly } from "../../machinery/index.ts";
import type { Pod } from "../types/core/v1.ts";

export interface PodClaim {
  readonly name: string;
  /** Made for this pod and gone with it. */
  readonly isEphemeral: boolean;
}

/** The name of the claim that is made for an ephemeral volume. */
export function ephemeralClaimName({ metadata }: DeepReadonly<Pod>, volumeName: string): string {
  return `${metadata.name}-${volumeName}`;
}

/** In the pod's namespace, in the order of its volumes. */
export function podClaims(pod: DeepReadonly<Pod>): PodClaim[] {
  return (pod.spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }): PodClaim[] => {
    if (persistentVolumeClaim !== undefined) return [{ name: persistentVolumeClaim.claimName, isEphemeral: false }];
    return ephemeral === undefined ? [] : [{ name: ephemeralClaimName(pod, name), isEphemeral: true }];
  });
}
