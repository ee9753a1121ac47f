// A plain, slow scheduler for tests: it computes everything anew from lists of nodes and pods, rule by rule, and judges the
// fast one.
import type { Node, Pod, PodAffinityTerm, TopologySpreadConstraint } from "../../api/types/core/v1.ts";
import { type DeepReadonly, labelSelectorMatcher, quantityMilli, quantityValue } from "../../machinery/index.ts";

type ANode = DeepReadonly<Node>;
type APod = DeepReadonly<Pod>;
type Term = DeepReadonly<PodAffinityTerm>;
type Spread = DeepReadonly<TopologySpreadConstraint>;

export interface ReferenceCluster {
  readonly nodes: readonly ANode[];
  /** With spec.nodeName. */
  readonly pods: readonly APod[];
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function amount(pod: APod, name: string): number {
  const read = name === "cpu" ? quantityMilli : quantityValue;
  return (pod.spec?.containers ?? []).reduce((sum, { resources }) => sum + read(resources?.requests?.[name] ?? "0"), 0);
}

function allocatable(node: ANode, name: string): number {
  return (name === "cpu" ? quantityMilli : quantityValue)(node.status?.allocatable?.[name] ?? "0");
}

function podsOn({ pods }: ReferenceCluster, node: ANode): APod[] {
  return pods.filter(({ spec }) => spec?.nodeName === node.metadata.name);
}

function nodeOf({ nodes }: ReferenceCluster, pod: APod): ANode | undefined {
  return nodes.find(({ metadata }) => metadata.name === pod.spec?.nodeName);
}

function labelOf(node: ANode | undefined, key: string): string | undefined {
  return node?.metadata.labels?.[key];
}

function hasRoom(cluster: ReferenceCluster, pod: APod, node: ANode): boolean {
  const others = podsOn(cluster, node);
  if (others.length + 1 > allocatable(node, "pods")) return false;
  return ["cpu", "memory"].every((name) => {
    const wanted = amount(pod, name);
    return wanted === 0 || others.reduce((sum, other) => sum + amount(other, name), wanted) <= allocatable(node, name);
  });
}

function tolerates(pod: APod, node: ANode): boolean {
  return (node.spec?.taints ?? []).every(({ key, effect }) => {
    if (effect === "PreferNoSchedule") return true;
    return (pod.spec?.tolerations ?? []).some((toleration) => toleration.key === key && toleration.operator === "Exists");
  });
}

function isSelected(pod: APod, node: ANode): boolean {
  return Object.entries(pod.spec?.nodeSelector ?? {}).every(([key, value]) => labelOf(node, key) === value);
}

function speaksOf(cluster: ReferenceCluster, { owner, term, about }: { owner: APod; term: Term; about: APod }): boolean {
  const namespace = about.metadata.namespace ?? "";
  const own = term.namespaces === undefined && term.namespaceSelector === undefined;
  const inList = own ? namespace === owner.metadata.namespace : (term.namespaces ?? []).includes(namespace);
  const inSelector = labelSelectorMatcher(term.namespaceSelector).matches(cluster.namespaces[namespace] ?? {});
  return (inList || inSelector) && labelSelectorMatcher(term.labelSelector).matches(about.metadata.labels);
}

function shareDomain(cluster: ReferenceCluster, { topologyKey }: Term, pod: APod, node: ANode): boolean {
  const value = labelOf(node, topologyKey);
  return value !== undefined && labelOf(nodeOf(cluster, pod), topologyKey) === value;
}

function affinityTerms(pod: APod): readonly Term[] {
  return pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

function antiAffinityTerms(pod: APod): readonly Term[] {
  return pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

function hasAffinity(cluster: ReferenceCluster, pod: APod, node: ANode): boolean {
  const terms = affinityTerms(pod);
  if (!terms.every(({ topologyKey }) => labelOf(node, topologyKey) !== undefined)) return false;
  const wanted = cluster.pods.filter((other) => terms.every((term) => speaksOf(cluster, { owner: pod, term, about: other })));
  const isMet = terms.every((term) => wanted.some((other) => shareDomain(cluster, term, other, node)));
  const counted = wanted.filter((other) => terms.some(({ topologyKey }) => labelOf(nodeOf(cluster, other), topologyKey) !== undefined));
  const isFirst = counted.length === 0 && terms.every((term) => speaksOf(cluster, { owner: pod, term, about: pod }));
  return isMet || isFirst;
}

function isKeptAway(cluster: ReferenceCluster, pod: APod, node: ANode): boolean {
  const clashes = (owner: APod, about: APod, other: APod) =>
    antiAffinityTerms(owner).some((term) => speaksOf(cluster, { owner, term, about }) && shareDomain(cluster, term, other, node));
  return cluster.pods.some((other) => clashes(pod, other, other) || clashes(other, pod, other));
}

function spreads(cluster: ReferenceCluster, pod: APod, node: ANode): boolean {
  const constraints = (pod.spec?.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule");
  const eligible = (each: ANode, { nodeAffinityPolicy, nodeTaintsPolicy }: Spread) =>
    constraints.every(({ topologyKey }) => labelOf(each, topologyKey) !== undefined) &&
    (nodeAffinityPolicy === "Ignore" || isSelected(pod, each)) &&
    (nodeTaintsPolicy !== "Honor" || tolerates(pod, each));
  return constraints.every((constraint) => {
    const { topologyKey, maxSkew, minDomains = 1, labelSelector } = constraint;
    const value = labelOf(node, topologyKey);
    if (value === undefined) return false;
    const selector = labelSelectorMatcher(labelSelector);
    const counts = new Map<string, number>();
    for (const each of cluster.nodes.filter((other) => eligible(other, constraint))) {
      const domain = labelOf(each, topologyKey) ?? "";
      const matching = podsOn(cluster, each).filter(
        ({ metadata }) => metadata.namespace === pod.metadata.namespace && selector.matches(metadata.labels),
      );
      counts.set(domain, (counts.get(domain) ?? 0) + matching.length);
    }
    const minimum = counts.size === 0 || counts.size < minDomains ? 0 : Math.min(...counts.values());
    return (counts.get(value) ?? 0) + (selector.matches(pod.metadata.labels) ? 1 : 0) - minimum <= maxSkew;
  });
}

/** Whether all rules allow the pod on the node. */
export function mayRunOn(cluster: ReferenceCluster, pod: APod, node: ANode): boolean {
  return (
    node.spec?.unschedulable !== true &&
    tolerates(pod, node) &&
    isSelected(pod, node) &&
    hasRoom(cluster, pod, node) &&
    spreads(cluster, pod, node) &&
    hasAffinity(cluster, pod, node) &&
    !isKeptAway(cluster, pod, node)
  );
}

/** Scores before they are weighed, by upstream's formulas; `nodes` are those that may take the pod. */
export function referenceScores(cluster: ReferenceCluster, pod: APod, nodes: readonly ANode[]): number[] {
  const byPlugin = [
    { weight: 3, scores: reversed(nodes.map((node) => avoidedTaints(pod, node))) },
    { weight: 1, scores: nodes.map((node) => leastAllocated(cluster, pod, node)) },
    { weight: 1, scores: nodes.map((node) => balanced(cluster, pod, node)) },
    { weight: 2, scores: spreadScores(cluster, pod, nodes) },
    { weight: 2, scores: affinityScores(cluster, pod, nodes) },
  ];
  return nodes.map((_, index) => byPlugin.reduce((sum, { weight, scores }) => sum + weight * (scores[index] ?? 0), 0));
}

function reversed(scores: readonly number[]): number[] {
  const most = Math.max(0, ...scores);
  return scores.map((score) => (most === 0 ? 100 : 100 - Math.floor((score * 100) / most)));
}

function avoidedTaints(pod: APod, node: ANode): number {
  const tolerations = (pod.spec?.tolerations ?? []).filter(({ effect }) => !effect || effect === "PreferNoSchedule");
  const isTolerated = (key: string) => tolerations.some((toleration) => toleration.key === key);
  return (node.spec?.taints ?? []).filter(({ key, effect }) => effect === "PreferNoSchedule" && !isTolerated(key ?? "")).length;
}

/** Containers that ask for nothing count as if they asked for a little. */
function assumed(pod: APod, name: "cpu" | "memory"): number {
  const unasked = (pod.spec?.containers ?? []).filter(({ resources }) => resources?.requests?.[name] === undefined).length;
  return amount(pod, name) + unasked * (name === "cpu" ? 100 : 200 * 2 ** 20);
}

function leastAllocated(cluster: ReferenceCluster, pod: APod, node: ANode): number {
  const scores = (["cpu", "memory"] as const).flatMap((name) => {
    const total = allocatable(node, name);
    if (total === 0) return [];
    const used = podsOn(cluster, node).reduce((sum, other) => sum + assumed(other, name), assumed(pod, name));
    return [used > total ? 0 : Math.floor(((total - used) * 100) / total)];
  });
  return scores.length === 0 ? 0 : Math.floor(scores.reduce((a, b) => a + b, 0) / scores.length);
}

function balanced(cluster: ReferenceCluster, pod: APod, node: ANode): number {
  if (amount(pod, "cpu") === 0 && amount(pod, "memory") === 0) return 0;
  const balance = (pods: readonly APod[]) => {
    const used = (name: string) => pods.reduce((sum, each) => sum + amount(each, name), 0);
    const fractions = ["cpu", "memory"]
      .filter((name) => allocatable(node, name) > 0)
      .map((name) => Math.min(1, used(name) / allocatable(node, name)));
    return fractions.length < 2 ? 100 : Math.floor((1 - Math.abs((fractions[0] ?? 0) - (fractions[1] ?? 0)) / 2) * 100);
  };
  const others = podsOn(cluster, node);
  return 50 + Math.trunc((50 + balance([...others, pod]) - balance(others)) / 2);
}

function spreadScores(cluster: ReferenceCluster, pod: APod, nodes: readonly ANode[]): number[] {
  const constraints = (pod.spec?.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "ScheduleAnyway");
  if (constraints.length === 0) return nodes.map(() => 0);
  const hasKeys = (node: ANode) => constraints.every(({ topologyKey }) => labelOf(node, topologyKey) !== undefined);
  const counted = nodes.filter(hasKeys);
  const matching = (node: ANode, { labelSelector }: Spread) =>
    podsOn(cluster, node).filter(
      ({ metadata }) => metadata.namespace === pod.metadata.namespace && labelSelectorMatcher(labelSelector).matches(metadata.labels),
    ).length;
  const raw = nodes.map((node) => {
    if (!hasKeys(node)) return undefined;
    let score = 0;
    for (const constraint of constraints) {
      const { topologyKey, maxSkew, nodeAffinityPolicy, nodeTaintsPolicy } = constraint;
      const isByNode = topologyKey === "kubernetes.io/hostname";
      const domains = new Set(counted.map((each) => labelOf(each, topologyKey)));
      const weight = Math.log((isByNode ? counted.length : domains.size) + 2);
      const peers = cluster.nodes.filter(
        (each) =>
          hasKeys(each) &&
          labelOf(each, topologyKey) === labelOf(node, topologyKey) &&
          (nodeAffinityPolicy === "Ignore" || isSelected(pod, each)) &&
          (nodeTaintsPolicy !== "Honor" || tolerates(pod, each)),
      );
      const count = isByNode ? matching(node, constraint) : peers.reduce((sum, each) => sum + matching(each, constraint), 0);
      score += count * weight + (maxSkew - 1);
    }
    return Math.round(score);
  });
  const known = raw.filter((score) => score !== undefined);
  const high = Math.max(0, ...known);
  const low = Math.min(...known);
  return raw.map((score) => {
    if (score === undefined) return 0;
    return high === 0 ? 100 : Math.trunc((100 * (high + low - score)) / high);
  });
}

function affinityScores(cluster: ReferenceCluster, pod: APod, nodes: readonly ANode[]): number[] {
  const weighted = (each: APod) => [
    ...(each.spec?.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(each.spec?.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({
      weight: -weight,
      podAffinityTerm,
    })),
  ];
  const raw = nodes.map((node) => {
    let score = 0;
    const add = (owner: APod, about: APod, other: APod, term: Term, weight: number) => {
      if (speaksOf(cluster, { owner, term, about }) && shareDomain(cluster, term, other, node)) score += weight;
    };
    for (const other of cluster.pods) {
      for (const { weight, podAffinityTerm } of weighted(pod)) add(pod, other, other, podAffinityTerm, weight);
      for (const { weight, podAffinityTerm } of weighted(other)) add(other, pod, other, podAffinityTerm, weight);
      for (const term of affinityTerms(other)) add(other, pod, other, term, 1);
    }
    return score;
  });
  const low = Math.min(...raw);
  const high = Math.max(...raw);
  return raw.map((score) => (high > low ? Math.trunc((100 * (score - low)) / (high - low)) : 0));
}
