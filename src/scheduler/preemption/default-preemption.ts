// Makes room for a pod that fits nowhere by taking less important ones away.
import { resources } from "../../api/index.ts";
import type { PodDisruptionBudget } from "../../api/types/policy/v1.ts";
import { randomInt } from "../../base/index.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import type { NodeRejection, Plugin, PostFilterContext, PostFilterResult, Rejection } from "../framework/plugin.ts";
import { reasonCounts } from "../placement/fit-error.ts";
import type { PluginContext } from "../plugins/registry.ts";
import { askAboutPreemption } from "./ask-about-preemption.ts";
import { chooseCandidate } from "./choose-candidate.ts";
import { evictVictims, isTerminatingByPreemption } from "./evict-victims.ts";
import { type Candidate, selectVictims, type VictimSearch } from "./victims.ts";

export interface DefaultPreemptionArgs {
  /** Candidates that are enough: so many percent of the nodes, … */
  readonly minCandidateNodesPercentage?: number;
  /** … and no fewer than this. */
  readonly minCandidateNodesAbsolute?: number;
}

const NOT_HELPFUL = "Preemption is not helpful for scheduling";

export function defaultPreemption(context: PluginContext, args: DefaultPreemptionArgs = {}): Plugin {
  const { minCandidateNodesPercentage: percentage = 10, minCandidateNodesAbsolute: least = 100 } = args;
  const budgets = context.informers.informer<PodDisruptionBudget>(resources.poddisruptionbudgets).lister;
  const startedAtMs = ({ pod }: PodInfo): number => {
    const startTime = pod.status?.startTime;
    return startTime === undefined ? context.clock.now() : Date.parse(startTime);
  };
  return {
    name: "DefaultPreemption",
    postFilter: (pod, { cluster, rejections, rejectionOn, extenders, signal }) => {
      const why = whyNot(pod, context, rejections);
      if (why !== undefined) return { message: `preemption: ${why}` };
      const search = { cluster, budgets: budgets.list(), startedAtMs: memoized(startedAtMs), rejectionOn };
      const potential = rejections.filter(({ rejection }) => !rejection.isUnresolvable);
      const enough = Math.min(potential.length, Math.max(Math.floor((potential.length * percentage) / 100), least));
      const offset = randomInt(context.random, potential.length);
      const rotated = [...potential.slice(offset), ...potential.slice(0, offset)];
      const { candidates, failed } = findCandidates(pod, rotated, { search, enough });
      const decide = (left: readonly Candidate[]): PostFilterResult => {
        const chosen = chooseCandidate(left, search.startedAtMs);
        if (chosen === undefined) return notHelpful(cluster.nodeCount, failed);
        return { nominatedNodeName: chosen.node.name, pending: evictVictims(context, pod, chosen) };
      };
      const asked = extenders.filter(({ preempt }) => preempt !== undefined);
      if (asked.length === 0 || candidates.length === 0) return decide(candidates);
      return askAboutPreemption(asked, { pod, candidates }, signal).then(decide);
    },
  };
}

function memoized(read: (pod: PodInfo) => number): (pod: PodInfo) => number {
  const known = new Map<PodInfo, number>();
  return (pod) => {
    const value = known.get(pod) ?? read(pod);
    known.set(pod, value);
    return value;
  };
}

/** Why the pod may not preempt others at this time. */
function whyNot(pod: PodInfo, context: PluginContext, rejections: PostFilterContext["rejections"]): string | undefined {
  if (pod.pod.spec?.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const nominated = context.cluster.node(context.nominator.get(pod.uid)?.nodeName ?? "");
  if (nominated === undefined) return undefined;
  // What keeps it from the node it was nominated for will not pass: it may look for another.
  if (rejections.some(({ node, rejection }) => node === nominated && rejection.isUnresolvable)) return undefined;
  for (const other of nominated.pods.values()) {
    if (other.priority < pod.priority && isTerminatingByPreemption(other.pod))
      return "not eligible due to a terminating pod on the nominated node.";
  }
  return undefined;
}

/** Stops when there are enough, one of them breaking no budget. */
function findCandidates(
  pod: PodInfo,
  potential: readonly NodeRejection[],
  { search, enough }: { readonly search: VictimSearch; readonly enough: number },
): { candidates: Candidate[]; failed: Rejection[] } {
  const candidates: Candidate[] = [];
  const failed: Rejection[] = [];
  let isHarmless = false;
  for (const { node } of potential) {
    if (isHarmless && candidates.length >= enough) break;
    const outcome = selectVictims(pod, node, search);
    if ("reasons" in outcome) {
      failed.push(outcome);
    } else if (outcome.victims.length > 0) {
      candidates.push(outcome);
      isHarmless ||= outcome.violations === 0;
    }
  }
  return { candidates, failed };
}

function notHelpful(nodeCount: number, failed: readonly Rejection[]): PostFilterResult {
  const others = Array.from({ length: nodeCount - failed.length }, () => [NOT_HELPFUL]);
  const reasons = reasonCounts([...failed.map(({ reasons: some }) => some), ...others]);
  return { nominatedNodeName: "", message: `preemption: 0/${nodeCount} nodes are available: ${reasons.join(", ")}.` };
}
