// matchLabelKeys and mismatchLabelKeys: when a pod is created, its own values of these labels become part of the selectors.
import type { LabelSelector } from "../../../machinery/index.ts";
import type { Pod, PodAffinityTerm } from "../../types/core/v1.ts";

type Labels = Readonly<Record<string, string>>;

/** A key that the pod does not have is left out; a term without a selector stays without. */
export function applyMatchLabelKeys({ metadata, spec }: Pod): void {
  const labels = metadata.labels ?? {};
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) applyToTerm(term, labels);
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) applyToTerm(podAffinityTerm, labels);
  }
  for (const { labelSelector, matchLabelKeys } of spec?.topologySpreadConstraints ?? [])
    demand(labelSelector, "In", matchLabelKeys, labels);
}

function applyToTerm({ labelSelector, matchLabelKeys, mismatchLabelKeys }: PodAffinityTerm, labels: Labels): void {
  demand(labelSelector, "In", matchLabelKeys, labels);
  demand(labelSelector, "NotIn", mismatchLabelKeys, labels);
}

function demand(selector: LabelSelector | undefined, operator: "In" | "NotIn", keys: readonly string[] = [], labels: Labels): void {
  if (selector === undefined) return;
  for (const key of keys) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [value] });
  }
}
