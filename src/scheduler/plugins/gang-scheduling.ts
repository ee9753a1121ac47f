// Schedules the pods of a PodGroup with a gang policy together: at least `minCount` of them at once, or none.
// DEVIATION: gangs do not preempt; upstream plans preemption for a whole group.
import { isPodTerminal, resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { PodGroup } from "../../api/types/scheduling/v1alpha2.ts";
import { timestamp } from "../../base/index.ts";
import { type DeepReadonly, isConflict, isNotFound } from "../../machinery/index.ts";
import { type PodInfo, podInfo } from "../cluster/pod-info.ts";
import { type ObjectChange, wakesIf } from "../framework/events.ts";
import type { Plugin } from "../framework/plugin.ts";
import type { PluginContext } from "./registry.ts";

const BY_GROUP = "schedulingGroup";
const SCHEDULED = "PodGroupScheduled";

function groupKey({ metadata, spec }: DeepReadonly<Pod>): string | undefined {
  const name = spec?.schedulingGroup?.podGroupName;
  return name === undefined ? undefined : `${metadata.namespace}/${name}`;
}

/** @see kubernetes `pkg/scheduler/framework/plugins/gangscheduling` */
export function gangScheduling(context: PluginContext): Plugin {
  const { informers, cluster } = context;
  const groups = informers.informer<PodGroup>(resources.podgroups).lister;
  const pods = informers.informer<Pod>(resources.pods);
  pods.addIndex(BY_GROUP, (pod) => {
    const key = groupKey(pod);
    return key === undefined ? [] : [key];
  });
  const groupOf = ({ pod, namespace }: PodInfo) => groups.get(namespace, pod.spec?.schedulingGroup?.podGroupName ?? "");
  const members = ({ pod }: PodInfo) =>
    pods.lister
      .byIndex(BY_GROUP, groupKey(pod) ?? "")
      .filter((member) => !isPodTerminal(member) && member.metadata.deletionTimestamp === undefined);
  const heldBack = (pod: PodInfo) => {
    const name = pod.pod.spec?.schedulingGroup?.podGroupName;
    if (name === undefined) return undefined;
    const group = groupOf(pod);
    if (group === undefined) return `waiting for pod's pod group ${JSON.stringify(name)} to appear in scheduling queue`;
    const { gang } = group.spec.schedulingPolicy;
    if (gang === undefined || members(pod).length >= gang.minCount) return undefined;
    return "waiting for minCount pods from a gang to appear in scheduling queue";
  };
  const isSameGroup = (pod: PodInfo, key: string | undefined) => key !== undefined && groupKey(pod.pod) === key;
  let newest: { readonly pod: DeepReadonly<Pod> | undefined; readonly isReady: boolean } = { pod: undefined, isReady: false };
  // Asked for every pod that waits: as long as too few have come, the answer is known from the first.
  const isReady = (added: DeepReadonly<Pod> | undefined) => {
    if (newest.pod !== added) newest = { pod: added, isReady: added !== undefined && heldBack(podInfo(added)) === undefined };
    return newest.isReady;
  };
  const isAwaited = (pod: PodInfo, { new: added }: ObjectChange<Pod>) =>
    isReady(added) && added !== undefined && isSameGroup(pod, groupKey(added));
  return {
    name: "GangScheduling",
    wakesOn: [
      wakesIf<Pod>("UnscheduledPodAdd", isAwaited),
      wakesIf<Pod>("AssignedPodAdd", isAwaited),
      wakesIf<PodGroup>("PodGroupAdd", (pod, { new: group }) => isSameGroup(pod, `${group?.metadata.namespace}/${group?.metadata.name}`)),
    ],
    preEnqueue: heldBack,
    batch: (pod) => {
      if (pod.pod.spec?.schedulingGroup === undefined) return undefined;
      const group = groupOf(pod);
      const gang = group?.spec.schedulingPolicy.gang;
      if (group === undefined || gang === undefined) return undefined;
      const all = members(pod).map(({ metadata: { uid = "" } }) => uid);
      const pending = all.filter((uid) => cluster.placeOfPod(uid) === undefined);
      const needed = Math.max(0, gang.minCount - (all.length - pending.length));
      return { pending, needed, settled: (failure) => void tell(context, group, failure) };
    },
  };
}

/** Writes the group's condition. Never throws: the next attempt writes again. */
async function tell({ client, clock, logger }: PluginContext, group: DeepReadonly<PodGroup>, failure: string | undefined): Promise<void> {
  const conditions = group.status?.conditions ?? [];
  const known = conditions.find(({ type }) => type === SCHEDULED);
  const status = failure === undefined ? "True" : "False";
  const reason = failure === undefined ? "Scheduled" : "Unschedulable";
  const message = failure ?? "All required pods have been successfully scheduled";
  if (known?.status === status && known.reason === reason && known.message === message) return;
  const lastTransitionTime = known?.status === status ? known.lastTransitionTime : timestamp(clock);
  const condition = { type: SCHEDULED, status, reason, message, lastTransitionTime, observedGeneration: group.metadata.generation ?? 0 };
  const { name = "", namespace = "", uid } = group.metadata;
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  const type = "application/strategic-merge-patch+json";
  try {
    await client.patch(resources.podgroups, name, patch, { namespace, subresource: "status", type });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error))
      logger.warn("updating the pod group's condition failed", { group: `${namespace}/${name}`, error: String(error) });
  }
}
