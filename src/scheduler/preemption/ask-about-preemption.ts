// Lets programs outside strike candidates for preemption, and say who would have to go instead.
import type { PodInfo } from "../cluster/pod-info.ts";
import type { Extender, PreemptionAnswer } from "../profile/extender.ts";
import type { Candidate } from "./victims.ts";

/** Asks one after the other; throws when one fails, or names nobody or a stranger, that may not be ignored. */
export async function askAboutPreemption(
  extenders: readonly Extender[],
  { pod, candidates }: { readonly pod: PodInfo; readonly candidates: readonly Candidate[] },
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  let left = candidates;
  for (const extender of extenders) {
    if (extender.preempt === undefined || left.length === 0) continue;
    const answers = extender.preempt(pod, left, signal).then((all) => all.flatMap((answer) => candidateOf(answer, left, extender)));
    left = await (extender.isIgnorable ? answers.catch(() => left) : answers);
  }
  return left;
}

function candidateOf({ nodeName, victimUids, violations }: PreemptionAnswer, asked: readonly Candidate[], extender: Extender): Candidate[] {
  const node = asked.find((candidate) => candidate.node.name === nodeName)?.node;
  if (node === undefined) throw new Error(`extender: ${extender.name} names node ${nodeName}, which it was not asked about`);
  if (victimUids.length === 0) {
    if (extender.isIgnorable) return [];
    throw new Error(`expected at least one victim pod on node ${JSON.stringify(nodeName)}`);
  }
  const victims = victimUids.map((uid) => {
    const victim = [...node.pods.values()].find((other) => other.uid === uid);
    if (victim !== undefined) return victim;
    throw new Error(
      `extender: ${extender.name} claims to preempt pod (UID: ${uid}) on node: ${nodeName}, but the pod is not found on that node`,
    );
  });
  return [{ node, victims, violations }];
}
