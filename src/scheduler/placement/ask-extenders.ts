// Lets programs outside filter and score the nodes that the plug-ins have left.
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { wakesOn } from "../framework/events.ts";
import type { NodeRejection } from "../framework/plugin.ts";
import type { Extender, ExtenderFilterResult } from "../profile/extender.ts";

export interface ExtenderAnswers {
  readonly nodes: readonly NodeInfo[];
  readonly rejections: readonly NodeRejection[];
  /** Weighted sums by name of the node. */
  readonly scores: Readonly<Record<string, number>>;
}

/** Asks one after the other; throws when one fails that may not be ignored. */
export async function askExtenders(
  extenders: readonly Extender[],
  { pod, nodes }: { readonly pod: PodInfo; readonly nodes: readonly NodeInfo[] },
  signal: AbortSignal,
): Promise<ExtenderAnswers> {
  let left = nodes;
  const rejections: NodeRejection[] = [];
  for (const extender of extenders) {
    if (extender.filter === undefined || left.length === 0) continue;
    const filter = extender.filter(pod, namesOf(left), signal);
    const answer = await (extender.isIgnorable ? filter.catch(() => undefined) : filter);
    if (answer === undefined) continue;
    rejections.push(...left.flatMap((node) => rejectionOf(node, extender, answer)));
    const kept = new Set(answer.nodeNames);
    left = left.filter(({ name }) => kept.has(name));
  }
  return { nodes: left, rejections, scores: left.length > 1 ? await scoresOf(extenders, { pod, nodes: left }, signal) : {} };
}

async function scoresOf(
  extenders: readonly Extender[],
  { pod, nodes }: { readonly pod: PodInfo; readonly nodes: readonly NodeInfo[] },
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const scores: Record<string, number> = {};
  const asked = extenders.map((extender) => extender.prioritize?.(pod, namesOf(nodes), signal));
  // Scores of an extender that fails are left out, as upstream does.
  const answers = await Promise.allSettled(asked);
  for (const answer of answers) {
    if (answer.status === "rejected") continue;
    for (const [name, score] of Object.entries(answer.value ?? {})) scores[name] = (scores[name] ?? 0) + score;
  }
  return scores;
}

/** Nobody knows what an extender looks at. */
const ANY_CHANGE = wakesOn(
  "PodUpdate",
  "AssignedPodAdd",
  "AssignedPodDelete",
  "AssignedPodUpdateLabel",
  "AssignedPodScaleDown",
  "NodeAdd",
  "NodeUpdateAllocatable",
  "NodeUpdateLabel",
  "NodeUpdateTaint",
);

function namesOf(nodes: readonly NodeInfo[]): string[] {
  return nodes.map(({ name }) => name);
}

function rejectionOf(node: NodeInfo, extender: Extender, answer: ExtenderFilterResult): NodeRejection[] {
  const unresolvable = answer.failedAndUnresolvable[node.name];
  const reason = unresolvable ?? answer.failed[node.name];
  if (reason === undefined) return [];
  return [
    {
      node,
      plugin: { name: extender.name, wakesOn: ANY_CHANGE },
      rejection: { reasons: [reason], isUnresolvable: unresolvable !== undefined },
    },
  ];
}
