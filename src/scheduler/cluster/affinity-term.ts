// Inter-pod affinity terms of a pod's specification, ready to judge other pods.
import type { Pod, PodAffinityTerm } from "../../api/types/core/v1.ts";
import { type DeepReadonly, type LabelSelectorMatcher, labelSelectorMatcher } from "../../machinery/index.ts";

type Labels = Readonly<Record<string, string>>;

/** What a term needs of a pod to judge it. */
export interface Judged {
  readonly namespace: string;
  readonly labels: Labels;
}

export interface AffinityTerm {
  /** Equal for terms that mean the same. */
  readonly key: string;
  readonly topologyKey: string;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: LabelSelectorMatcher;
  readonly selector: LabelSelectorMatcher;
}

export interface WeightedTerm {
  readonly term: AffinityTerm;
  /** Negative for anti-affinity. */
  readonly weight: number;
}

export interface PodTerms {
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferred: readonly WeightedTerm[];
}

const NO_TERMS: PodTerms = { requiredAffinity: [], requiredAntiAffinity: [], preferred: [] };

export function podTerms(pod: DeepReadonly<Pod>): PodTerms {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return NO_TERMS;
  const namespace = pod.metadata.namespace ?? "";
  const term = (each: DeepReadonly<PodAffinityTerm>) => affinityTerm(each, namespace);
  const attract = podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const repel = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return {
    requiredAffinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term),
    requiredAntiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term),
    preferred: [
      ...attract.map(({ weight, podAffinityTerm }) => ({ term: term(podAffinityTerm), weight })),
      ...repel.map(({ weight, podAffinityTerm }) => ({ term: term(podAffinityTerm), weight: -weight })),
    ].filter(({ weight }) => weight !== 0),
  };
}

/** Without namespaces and namespaceSelector a term is about the pod's own namespace. */
function affinityTerm(term: DeepReadonly<PodAffinityTerm>, podNamespace: string): AffinityTerm {
  const { topologyKey, namespaceSelector } = term;
  const isOwn = (term.namespaces ?? []).length === 0 && namespaceSelector === undefined;
  const namespaces = isOwn ? [podNamespace] : [...(term.namespaces ?? [])].sort();
  return {
    key: JSON.stringify([topologyKey, namespaces, namespaceSelector, term.labelSelector]),
    topologyKey,
    namespaces: new Set(namespaces),
    namespaceSelector: labelSelectorMatcher(namespaceSelector),
    selector: labelSelectorMatcher(term.labelSelector),
  };
}

/** Whether the term speaks of that pod; `namespaceLabels` are those of the pod's namespace. */
export function termMatches(term: AffinityTerm, pod: Judged, namespaceLabels: Labels): boolean {
  if (!term.namespaces.has(pod.namespace) && !term.namespaceSelector.matches(namespaceLabels)) return false;
  return term.selector.matches(pod.labels);
}
