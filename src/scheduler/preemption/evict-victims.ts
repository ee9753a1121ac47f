// Carries out a preemption: tells the victims why, deletes them, and withdraws hopes of less important pods for the node.
import { resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { timestamp } from "../../base/index.ts";
import { type DeepReadonly, isConflict, isNotFound } from "../../machinery/index.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { PluginContext } from "../plugins/registry.ts";
import type { Candidate } from "./victims.ts";

type Shell = Pick<PluginContext, "client" | "recorder" | "clock" | "logger" | "nominator">;

const STRATEGIC = "application/strategic-merge-patch+json";

/** Resolves when the server has accepted all deletions; throws when it refuses one. */
export async function evictVictims(shell: Shell, preemptor: PodInfo, { node, victims }: Candidate): Promise<void> {
  const lesser = [...shell.nominator.on(node.name)].filter(({ priority }) => priority < preemptor.priority);
  for (const pod of lesser) shell.nominator.delete(pod.uid);
  await Promise.all([
    ...victims.map((victim) => evict(shell, preemptor, { victim, nodeName: node.name })),
    ...lesser.map((pod) => withdraw(shell, pod)),
  ]);
}

async function evict(shell: Shell, preemptor: PodInfo, { victim, nodeName }: { victim: PodInfo; nodeName: string }): Promise<void> {
  const { client, recorder, clock } = shell;
  const { namespace = "", name = "", uid } = victim.pod.metadata;
  const message = `${preemptor.pod.spec?.schedulerName ?? ""}: preempting to accommodate a higher priority pod`;
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    message,
    lastTransitionTime: timestamp(clock),
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  try {
    await client.patch(resources.pods, name, patch, { namespace, subresource: "status", type: STRATEGIC });
    await client.delete(resources.pods, name, { namespace, options: { preconditions: { uid: victim.uid } } });
  } catch (error) {
    // Gone already, or another pod of that name.
    if (isNotFound(error) || isConflict(error)) return;
    throw error;
  }
  recorder.event(victim.pod, "Normal", "Preempted", `Preempted by pod ${preemptor.uid} on node ${nodeName}`);
}

/** The pod looks for another place. Best effort: a stale nomination is only a hint. */
async function withdraw({ client, logger }: Shell, { pod, key }: PodInfo): Promise<void> {
  const { namespace = "", name = "", uid } = pod.metadata;
  const patch = { metadata: { uid }, status: { nominatedNodeName: null } };
  try {
    await client.patch(resources.pods, name, patch, { namespace, subresource: "status", type: STRATEGIC });
  } catch (error) {
    logger.debug("withdrawing a nomination failed", { pod: key, error: String(error) });
  }
}

/** Whether the scheduler is about to make room by the pod's end. */
export function isTerminatingByPreemption(pod: DeepReadonly<Pod>): boolean {
  if (pod.metadata.deletionTimestamp === undefined) return false;
  return (pod.status?.conditions ?? []).some(
    ({ type, status, reason }) => type === "DisruptionTarget" && status === "True" && reason === "PreemptionByScheduler",
  );
}
