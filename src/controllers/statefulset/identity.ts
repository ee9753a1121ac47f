// What makes a pod of a StatefulSet that one pod: its ordinal, and the name, labels, host name and claims that follow from it.
import type { StatefulSet } from "../../api/types/apps/v1.ts";
import type { PersistentVolumeClaim, Pod, PodTemplateSpec } from "../../api/types/core/v1.ts";
import type { DeepReadonly, OwnerReference } from "../../machinery/index.ts";
import { REVISION_HASH_LABEL } from "../controller-revisions.ts";
import { podFromTemplate } from "../pod-template.ts";

const POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name";
const POD_INDEX_LABEL = "apps.kubernetes.io/pod-index";

type ReadonlySet = DeepReadonly<StatefulSet>;

/** The set's name and the ordinal in a pod's name; undefined when the name has none. */
export function parsePodName(name: string): { readonly parent: string; readonly ordinal: number } | undefined {
  const match = /^(.*)-([0-9]+)$/.exec(name);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const ordinal = Number(match[2]);
  return ordinal > 2 ** 31 - 1 ? undefined : { parent: match[1], ordinal };
}

export function ordinalOf(pod: DeepReadonly<Pod>): number {
  return parsePodName(pod.metadata.name ?? "")?.ordinal ?? -1;
}

/** Whether the pod's name is one that the set gives. */
export function isMember(set: ReadonlySet, pod: DeepReadonly<Pod>): boolean {
  return parsePodName(pod.metadata.name ?? "")?.parent === set.metadata.name;
}

export function startOrdinal({ spec }: ReadonlySet): number {
  return spec?.ordinals?.start ?? 0;
}

export function replicasOf({ spec }: ReadonlySet): number {
  return spec?.replicas ?? 1;
}

/** Whether the set is to have a pod with that ordinal. */
export function isInRange(set: ReadonlySet, ordinal: number): boolean {
  const start = startOrdinal(set);
  return ordinal >= start && ordinal < start + replicasOf(set);
}

export function podRevision(pod: DeepReadonly<Pod>): string {
  return pod.metadata.labels?.[REVISION_HASH_LABEL] ?? "";
}

/** The pod with that ordinal, made from a revision's template. */
export function statefulPod(
  set: ReadonlySet,
  ordinal: number,
  {
    template,
    revision,
    owner,
  }: { readonly template: DeepReadonly<PodTemplateSpec>; readonly revision: string; readonly owner: OwnerReference },
): DeepReadonly<Pod> {
  const pod = podFromTemplate(template, set, owner);
  const name = `${set.metadata.name}-${ordinal}`;
  const { generateName: _, ...metadata } = pod.metadata;
  const labels = { ...metadata.labels, ...identityLabels(name, ordinal), [REVISION_HASH_LABEL]: revision };
  if (pod.spec === undefined) return { ...pod, metadata: { ...metadata, name, labels } };
  const volumes = volumesWithClaims(set, ordinal, pod.spec.volumes);
  const subdomain = set.spec?.serviceName;
  return {
    ...pod,
    metadata: { ...metadata, name, labels },
    spec: { ...pod.spec, volumes, hostname: name, ...(subdomain === undefined ? {} : { subdomain }) },
  };
}

function identityLabels(name: string, ordinal: number): Readonly<Record<string, string>> {
  return { [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(ordinal) };
}

/** The pod with the labels of its identity, which someone has taken away; undefined when it has them. */
export function withIdentity(pod: DeepReadonly<Pod>): DeepReadonly<Pod> | undefined {
  const labels = identityLabels(pod.metadata.name ?? "", ordinalOf(pod));
  if (Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value)) return undefined;
  return { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...labels } } };
}

type Volumes = DeepReadonly<NonNullable<NonNullable<Pod["spec"]>["volumes"]>>;

/** A claim of the set stands in for a volume of the same name. */
function volumesWithClaims(set: ReadonlySet, ordinal: number, own: Volumes = []): Volumes {
  const claims = (set.spec?.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata.name ?? "",
    persistentVolumeClaim: { claimName: claimName(set, claim, ordinal), readOnly: false },
  }));
  return [...claims, ...own.filter(({ name }) => !claims.some((claim) => claim.name === name))];
}

export function claimName(set: ReadonlySet, claim: DeepReadonly<PersistentVolumeClaim>, ordinal: number): string {
  return `${claim.metadata.name}-${set.metadata.name}-${ordinal}`;
}

/** The claims of the pod with that ordinal, without owners. */
export function claimsOf(set: ReadonlySet, ordinal: number): readonly DeepReadonly<PersistentVolumeClaim>[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    ...template,
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...template.metadata,
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec?.selector.matchLabels },
    },
  }));
}
