// Brings pods together and keeps them apart, by zones, nodes or whatever label, as their terms say.

import type { Node, Pod } from "../../../api/types/core/v1.ts";
import { LruMap } from "../../../client/index.ts";
import { type AffinityTerm, termMatches } from "../../cluster/affinity-term.ts";
import type { ClusterState } from "../../cluster/cluster-state.ts";
import { type PodInfo, podInfo } from "../../cluster/pod-info.ts";
import { type ObjectChange, wakesIf, wakesOn } from "../../framework/events.ts";
import type { Plugin } from "../../framework/plugin.ts";
import { AffinityFilter } from "./affinity-filter.ts";
import { AffinityScorer, type InterPodAffinityArgs } from "./affinity-scorer.ts";

/** Kinds of pods that are remembered. */
const MAX_REMEMBERED = 512;

export function interPodAffinity(cluster: ClusterState, args: InterPodAffinityArgs = {}): Plugin {
  const filters = new LruMap<string, AffinityFilter>(MAX_REMEMBERED);
  const scorers = new LruMap<string, AffinityScorer>(MAX_REMEMBERED);
  const speaksOf = (terms: readonly AffinityTerm[], pod: PodInfo) =>
    terms.some((term) => termMatches(term, pod, cluster.namespaceLabels(pod.namespace)));
  return {
    name: "InterPodAffinity",
    weight: 2,
    wakesOn: [
      ...wakesOn("PodUpdate"),
      wakesIf<Pod>(
        "AssignedPodAdd",
        (pod, change) => change.new === undefined || speaksOf(pod.terms.requiredAffinity, podInfo(change.new)),
      ),
      wakesIf<Pod>("AssignedPodUpdateLabel", (pod, change) => concerns(pod, change, speaksOf)),
      wakesIf<Pod>("AssignedPodDelete", (pod, { old }) => old === undefined || frees(pod, podInfo(old), speaksOf)),
      wakesIf<Node>("NodeAdd", (pod, change) => hasTopology(pod, change.new)),
      wakesIf<Node>("NodeUpdateLabel", (pod, change) => topologyChanged(pod, change)),
    ],
    preFilter: (pod) => {
      const { requiredAffinity, requiredAntiAffinity } = pod.terms;
      if (requiredAffinity.length === 0 && requiredAntiAffinity.length === 0 && cluster.requiredAntiAffinity.size === 0) return undefined;
      const key = keyOf(pod, [...requiredAffinity, ...requiredAntiAffinity]);
      let filter = filters.get(key);
      if (filter?.isCurrent() !== true) {
        filter = new AffinityFilter(pod, cluster);
        filters.set(key, filter);
      }
      return { filter };
    },
    preScore: (pod) => {
      const { preferred } = pod.terms;
      if (preferred.length === 0 && cluster.preferred.size === 0 && cluster.requiredAffinity.size === 0) return undefined;
      const key = keyOf(pod, preferred);
      let scorer = scorers.get(key);
      if (scorer?.isCurrent() !== true) {
        scorer = new AffinityScorer(pod, cluster, args);
        scorers.set(key, scorer);
      }
      return scorer;
    },
  };
}

/** Equal for pods that this plug-in treats alike. */
function keyOf({ groupKey, pod: { spec } }: PodInfo, terms: readonly unknown[]): string {
  return terms.length === 0 ? groupKey : `${groupKey} ${JSON.stringify([spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity])}`;
}

type SpeaksOf = (terms: readonly AffinityTerm[], pod: PodInfo) => boolean;

/** A pod that goes helps when either of the two keeps the other away. */
function frees(pod: PodInfo, gone: PodInfo, speaksOf: SpeaksOf): boolean {
  return speaksOf(pod.terms.requiredAntiAffinity, gone) || speaksOf(gone.terms.requiredAntiAffinity, pod);
}

/** New labels help when they make the other pod welcome, or no longer unwelcome. */
function concerns(pod: PodInfo, change: ObjectChange<Pod>, speaksOf: SpeaksOf): boolean {
  if (change.old === undefined || change.new === undefined) return true;
  const old = podInfo(change.old);
  const now = podInfo(change.new);
  const { requiredAffinity, requiredAntiAffinity } = pod.terms;
  if (speaksOf(requiredAffinity, now) && !speaksOf(requiredAffinity, old)) return true;
  return speaksOf(requiredAntiAffinity, old) && !speaksOf(requiredAntiAffinity, now);
}

/** A node outside all domains of the pod's affinity is no place for it. */
function hasTopology({ terms }: PodInfo, node: ObjectChange<Node>["new"]): boolean {
  return terms.requiredAffinity.every(({ topologyKey }) => node?.metadata.labels?.[topologyKey] !== undefined);
}

function topologyChanged({ terms }: PodInfo, change: ObjectChange<Node>): boolean {
  const changes = ({ topologyKey }: AffinityTerm) =>
    change.old?.metadata.labels?.[topologyKey] !== change.new?.metadata.labels?.[topologyKey];
  if (terms.requiredAffinity.length === 0 && terms.requiredAntiAffinity.length === 0) return true;
  return [...terms.requiredAffinity, ...terms.requiredAntiAffinity].some(changes);
}
