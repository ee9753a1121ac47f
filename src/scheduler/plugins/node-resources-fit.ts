// Only nodes with enough room, and rather those with more of it (or less, as the profile wants).
import type { Node } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { wakesIf, wakesOn } from "../framework/events.ts";
import type { Plugin, Rejection } from "../framework/plugin.ts";
import { resourceUse } from "./resource-scoring.ts";
import { type ResourceScorer, resourceScorer, type ScoringStrategy } from "./scoring-strategy.ts";

export interface NodeResourcesFitArgs {
  /** Extended resources that do not count. */
  readonly ignoredResources?: readonly string[];
  /** The same for all resources of a group, the part of the name before the slash. */
  readonly ignoredResourceGroups?: readonly string[];
  readonly scoringStrategy?: ScoringStrategy;
}

type Ignores = (name: string) => boolean;

function fits(pod: PodInfo, node: NodeInfo, ignores: Ignores): Rejection | undefined {
  const { allocatable } = node;
  const { requests } = pod;
  let reasons: string[] | undefined;
  let isUnresolvable = false;
  const check = (name: string, wanted: number, used: number, total: number) => {
    if (wanted === 0 || wanted <= total - used) return;
    reasons = [...(reasons ?? []), `Insufficient ${name}`];
    isUnresolvable ||= wanted > total;
  };
  if (node.pods.size + 1 > allocatable.pods) reasons = ["Too many pods"];
  check("cpu", requests.cpuMilli, node.cpuMilli, allocatable.cpuMilli);
  check("memory", requests.memoryBytes, node.memoryBytes, allocatable.memoryBytes);
  check("ephemeral-storage", requests.ephemeralBytes, node.ephemeralBytes, allocatable.ephemeralBytes);
  for (const [name, amount] of requests.extended) {
    if (!ignores(name)) check(name, amount, node.extended.get(name) ?? 0, allocatable.extended.get(name) ?? 0);
  }
  return reasons === undefined ? undefined : { reasons, isUnresolvable };
}

function scoreOf(pod: PodInfo, node: NodeInfo, scorer: ResourceScorer): number {
  let total = 0;
  let weights = 0;
  for (const { name, weight } of scorer.resources) {
    const use = resourceUse(pod, node, name, { assumesMinimum: true });
    if (use.allocatable === 0) continue;
    const score = scorer.score(use);
    if (score === 0 && scorer.skipsZero) continue;
    total += score * weight;
    weights += weight;
  }
  return weights === 0 ? 0 : scorer.round(total / weights);
}

export function nodeResourcesFit(args: NodeResourcesFitArgs = {}): Plugin {
  const ignored = new Set(args.ignoredResources);
  const ignoredGroups = new Set(args.ignoredResourceGroups);
  const ignores = (name: string) => ignored.has(name) || (name.includes("/") && ignoredGroups.has(name.slice(0, name.indexOf("/"))));
  const scorer = resourceScorer(args.scoringStrategy);
  const fitsEmpty = (pod: PodInfo, node: DeepReadonly<Node> | undefined) =>
    node === undefined || fits(pod, new NodeInfo(node, 0, () => 0), ignores) === undefined;
  return {
    name: "NodeResourcesFit",
    wakesOn: [
      ...wakesOn("PodUpdate", "AssignedPodDelete", "AssignedPodScaleDown"),
      wakesIf<Node>("NodeAdd", (pod, change) => fitsEmpty(pod, change.new)),
      wakesIf<Node>("NodeUpdateAllocatable", (pod, change) => fitsEmpty(pod, change.new)),
    ],
    reads: ({ requests, scoredCpuMilli, scoredMemoryBytes }) => [
      requests.cpuMilli,
      requests.memoryBytes,
      requests.ephemeralBytes,
      [...requests.extended],
      scoredCpuMilli,
      scoredMemoryBytes,
    ],
    filter: (pod, node) => fits(pod, node, ignores),
    scoring: { normalization: "none", score: (pod, node) => scoreOf(pod, node, scorer) },
  };
}
