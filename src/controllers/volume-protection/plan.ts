// Which claims pods use. Pure.
import { podClaims } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/**
 * Claims that a pod keeps, by name: only once it has a node, because a node starts no pod whose claim is on its way out. An
 * ephemeral volume is let go when its pod has ended.
 */
export function claimsInUse(pod: DeepReadonly<Pod>): readonly string[] {
  if (!pod.spec?.nodeName) return [];
  const hasEnded = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  return podClaims(pod).flatMap(({ name, isEphemeral }) => (isEphemeral && hasEnded ? [] : [name]));
}
