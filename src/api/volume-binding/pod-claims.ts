// The claims that a pod's volumes use.

import type { DeepReadonly } from "../../machinery/index.ts";
import type { Pod } from "../types/core/v1.ts";

export interface PodClaim {
  readonly name: string;
  /** Made for this pod and gone with it. */
  readonly isEphemeral: boolean;
}

/** In the pod's namespace, in the order of its volumes. */
export function podClaims({ metadata, spec }: DeepReadonly<Pod>): PodClaim[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }): PodClaim[] => {
    if (persistentVolumeClaim !== undefined) return [{ name: persistentVolumeClaim.claimName, isEphemeral: false }];
    return ephemeral === undefined ? [] : [{ name: `${metadata.name}-${name}`, isEphemeral: true }];
  });
}
