// Which claims pods use. Pure.
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** The name of the claim that is made for an ephemeral volume. */
export function ephemeralClaimName({ metadata }: DeepReadonly<Pod>, volumeName: string): string {
  return `${metadata.name}-${volumeName}`;
}

/**
 * Claims that a pod keeps, by name: only once it has a node, because a node starts no pod whose claim is on its way out. An
 * ephemeral volume is let go when its pod has ended.
 */
export function claimsInUse(pod: DeepReadonly<Pod>): readonly string[] {
  if (!pod.spec?.nodeName) return [];
  const hasEnded = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  return (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral !== undefined && !hasEnded ? [ephemeralClaimName(pod, name)] : [];
  });
}
