// Telling a pod, before it is deleted, why.
import { resources } from "../api/index.ts";
import type { Pod } from "../api/types/core/v1.ts";
import { timestamp } from "../base/index.ts";
import type { DeepReadonly } from "../machinery/index.ts";
import type { ControllerContext } from "./controller.ts";

export interface DisruptionReason {
  readonly reason: string;
  readonly message: string;
}

/** Writes the pod's DisruptionTarget condition, unless it has one with that reason; `phase` is set as well, when given. */
export async function markDisruptionTarget(
  { client, clock }: Pick<ControllerContext, "client" | "clock">,
  pod: DeepReadonly<Pod>,
  { reason, message, phase, signal }: DisruptionReason & { readonly phase?: string; readonly signal: AbortSignal },
): Promise<void> {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
  const known = pod.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  if (known?.status === "True" && known.reason === reason && (phase === undefined || pod.status?.phase === phase)) return;
  const condition = { type: "DisruptionTarget", status: "True", reason, message, lastTransitionTime: timestamp(clock) };
  const status = { ...pod.status, conditions: [...others, condition], ...(phase === undefined ? {} : { phase }) };
  await client.update(resources.pods, { ...pod, status }, { namespace: pod.metadata.namespace, subresource: "status", signal });
}
