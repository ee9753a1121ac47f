// One attempt to schedule pods that go to nodes together or not at all: each is placed beside those before it, and only when
// enough of them have a place are they bound.
import type { NodeInfo } from "./cluster/node-info.ts";
import type { PodInfo } from "./cluster/pod-info.ts";
import type { Plugin, PodBatch, QueuedPod } from "./framework/plugin.ts";
import type { Failure } from "./placement/placer.ts";

/** A batch, and who has made it one. */
export interface Together {
  readonly plugin: Plugin;
  readonly batch: PodBatch;
}

/** What the attempt is made of. */
export interface BatchSteps {
  /** The pod out of the queue, if it may be scheduled. */
  take(uid: string): QueuedPod | undefined;
  readonly compare: NonNullable<Plugin["compare"]>;
  find(pod: PodInfo): NodeInfo | Failure | Promise<NodeInfo | Failure>;
  assume(queued: QueuedPod, node: NodeInfo): Failure | undefined;
  /** Undoes `assume`. */
  release(queued: QueuedPod, node: NodeInfo): void;
  bind(queued: QueuedPod, node: NodeInfo): void;
  fail(queued: QueuedPod, failure: Failure, options?: { readonly isFinal: boolean }): Promise<void> | undefined;
  /** The attempt broke off. */
  giveBack(queued: QueuedPod, error: unknown): void;
}

interface Attempt {
  readonly placed: { readonly queued: QueuedPod; readonly node: NodeInfo }[];
  readonly failed: { readonly queued: QueuedPod; readonly failure: Failure }[];
  readonly remaining: QueuedPod[];
}

/** `first` is the pod whose turn it is; it takes the others with it. */
export async function scheduleBatch(first: QueuedPod, { plugin, batch }: Together, steps: BatchSteps): Promise<void> {
  const others = batch.pending.filter((uid) => uid !== first.info.uid).flatMap((uid) => steps.take(uid) ?? []);
  const attempt: Attempt = { placed: [], failed: [], remaining: [first, ...others].sort(steps.compare) };
  try {
    await placeAll(attempt, batch, steps);
  } catch (error) {
    releaseAll(attempt, steps);
    for (const queued of podsOf(attempt)) steps.giveBack(queued, error);
    return;
  }
  const { placed, failed } = attempt;
  if (placed.length >= batch.needed) {
    batch.settled(undefined);
    for (const { queued, node } of placed) steps.bind(queued, node);
    for (const { queued, failure } of failed) await steps.fail(queued, failure);
    return;
  }
  await failAll(attempt, { plugin, batch }, steps);
}

/** Ends early when those that are left cannot be enough. */
async function placeAll({ placed, failed, remaining }: Attempt, { needed }: PodBatch, steps: BatchSteps): Promise<void> {
  while (placed.length + remaining.length >= needed) {
    const [queued] = remaining;
    if (queued === undefined) return;
    const outcome = await steps.find(queued.info);
    remaining.shift();
    const failure = "rejections" in outcome ? outcome : steps.assume(queued, outcome);
    if (failure !== undefined) failed.push({ queued, failure });
    else if (!("rejections" in outcome)) placed.push({ queued, node: outcome });
  }
}

function podsOf({ placed, failed, remaining }: Attempt): QueuedPod[] {
  return [...placed.map(({ queued }) => queued), ...failed.map(({ queued }) => queued), ...remaining];
}

function releaseAll({ placed }: Attempt, steps: BatchSteps): void {
  for (const { queued, node } of placed.toReversed()) steps.release(queued, node);
}

/** What may help those that found no node may help all. Nobody is preempted: that would be for nothing if the others find no node. */
async function failAll(attempt: Attempt, { plugin, batch }: Together, steps: BatchSteps): Promise<void> {
  const { placed, failed, remaining } = attempt;
  releaseAll(attempt, steps);
  const counts = `${placed.length} scheduled, ${remaining.length} remaining`;
  const reason = `minCount (${batch.needed}) cannot be satisfied: ${counts}`;
  const rejections = failed.flatMap(({ failure }) => failure.rejections);
  // Without nodes there is nothing to say about the batch.
  const hasNodes = failed.length === 0 || rejections.length > 0;
  const refused = { plugin, rejection: { reasons: [reason], isUnresolvable: false } };
  batch.settled(reason);
  for (const { queued, failure } of failed) await steps.fail(queued, failure, { isFinal: true });
  const others = [...placed.map(({ queued }) => queued), ...remaining];
  for (const queued of others) await steps.fail(queued, hasNodes ? { rejections, refused } : { rejections }, { isFinal: true });
}
