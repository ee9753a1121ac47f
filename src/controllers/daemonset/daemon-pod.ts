// A DaemonSet's pod for one node: it asks the scheduler for that node and tolerates what befalls nodes.
import type { DaemonSet } from "../../api/types/apps/v1.ts";
import type { Affinity, Pod, Toleration } from "../../api/types/core/v1.ts";
import type { DeepReadonly, OwnerReference } from "../../machinery/index.ts";
import { REVISION_HASH_LABEL } from "../controller-revisions.ts";
import { podFromTemplate } from "../pod-template.ts";

export const TEMPLATE_GENERATION_ANNOTATION = "deprecated.daemonset.template.generation";
export const TEMPLATE_GENERATION_LABEL = "pod-template-generation";

type Tolerations = readonly DeepReadonly<Toleration>[];

const exists = (key: string, effect: string): Toleration => ({ key: `node.kubernetes.io/${key}`, operator: "Exists", effect });

/** @see kubernetes `pkg/controller/daemon/util/daemonset_util.go`, AddOrUpdateDaemonPodTolerations */
const DAEMON_TOLERATIONS: Tolerations = [
  exists("not-ready", "NoExecute"),
  exists("unreachable", "NoExecute"),
  exists("disk-pressure", "NoSchedule"),
  exists("memory-pressure", "NoSchedule"),
  exists("pid-pressure", "NoSchedule"),
  exists("unschedulable", "NoSchedule"),
];
const HOST_NETWORK_TOLERATIONS: Tolerations = [exists("network-unavailable", "NoSchedule")];

/** `hash`: of the set's current revision. */
export function daemonPod(
  set: DeepReadonly<DaemonSet>,
  nodeName: string,
  { hash, owner }: { readonly hash: string; readonly owner: OwnerReference },
): DeepReadonly<Pod> {
  const { template = {} } = set.spec ?? {};
  const generation = set.metadata.annotations?.[TEMPLATE_GENERATION_ANNOTATION];
  const labels = {
    ...template.metadata?.labels,
    ...(generation === undefined ? {} : { [TEMPLATE_GENERATION_LABEL]: generation }),
    [REVISION_HASH_LABEL]: hash,
  };
  const pod = podFromTemplate({ ...template, metadata: { ...template.metadata, labels } }, set, owner);
  if (pod.spec === undefined) return pod;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      affinity: affinityTo(nodeName, pod.spec.affinity),
      tolerations: daemonTolerations(pod.spec.tolerations, pod.spec.hostNetwork === true),
    },
  };
}

/** What daemons tolerate besides `own`; a toleration that differs in tolerationSeconds alone gives way. */
export function daemonTolerations(own: Tolerations = [], isHostNetwork: boolean): Tolerations {
  const added = isHostNetwork ? [...DAEMON_TOLERATIONS, ...HOST_NETWORK_TOLERATIONS] : DAEMON_TOLERATIONS;
  const isAdded = (toleration: DeepReadonly<Toleration>) =>
    added.some(
      ({ key, operator, effect }) =>
        toleration.key === key && toleration.operator === operator && toleration.effect === effect && !toleration.value,
    );
  return [...own.filter((toleration) => !isAdded(toleration)), ...added];
}

/** The template's affinity, with the node instead of its own required node affinity (the controller has applied that). */
function affinityTo(nodeName: string, affinity: DeepReadonly<Affinity> | undefined): DeepReadonly<Affinity> {
  const term = { matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] };
  const required = { nodeSelectorTerms: [term] };
  return { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required } };
}

/** The node that a daemon's pod is on, or is meant for. */
export function targetNodeOf({ spec }: DeepReadonly<Pod>): string | undefined {
  if (spec?.nodeName) return spec.nodeName;
  for (const { matchFields = [] } of spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ??
    []) {
    const field = matchFields.find(({ key, operator }) => key === "metadata.name" && operator === "In");
    if (field?.values?.length === 1) return field.values[0];
  }
  return undefined;
}
