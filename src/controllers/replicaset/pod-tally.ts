// The pods of a set by numbers, kept as pods come, change and go: a set of many pods is not gone through for each change of one.
import { isPodTerminal, podReady } from "../../api/index.ts";
import type { ReplicaSet } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { getControllerOf, type Informer } from "../../client/index.ts";
import { type DeepReadonly, type KubeObject, type LabelSelectorMatcher, labelSelectorMatcher } from "../../machinery/index.ts";
import type { PodCounts } from "./plan.ts";

export class PodTally {
  /** The set's generation that the counts are for. */
  readonly generation: number | undefined;
  readonly #selector: LabelSelectorMatcher;
  readonly #template: LabelSelectorMatcher;
  #strangers = 0;
  #active = 0;
  #terminating = 0;
  #fullyLabeled = 0;
  #ready = 0;

  constructor({ metadata, spec }: DeepReadonly<ReplicaSet>, pods: readonly DeepReadonly<Pod>[]) {
    this.generation = metadata.generation;
    this.#selector = labelSelectorMatcher(spec?.selector);
    this.#template = labelSelectorMatcher({ matchLabels: { ...spec?.template?.metadata?.labels } });
    for (const pod of pods) this.change(pod, 1);
  }

  /** A pod in this state has come (1) or is no more (-1). */
  change(pod: DeepReadonly<Pod>, by: 1 | -1): void {
    const { labels, deletionTimestamp } = pod.metadata;
    if (!this.#selector.matches(labels)) this.#strangers += by;
    if (isPodTerminal(pod)) return;
    if (deletionTimestamp !== undefined) {
      this.#terminating += by;
      return;
    }
    this.#active += by;
    if (this.#template.matches(labels)) this.#fullyLabeled += by;
    if (podReady(pod)) this.#ready += by;
  }

  /** Whether all are pods that the set's selector matches. */
  get isPure(): boolean {
    return this.#strangers === 0;
  }

  /** As if there were no minReadySeconds. */
  get counts(): PodCounts {
    return {
      active: this.#active,
      terminating: this.#terminating,
      fullyLabeled: this.#fullyLabeled,
      ready: this.#ready,
      available: this.#ready,
    };
  }
}

/** The tallies of all sets that were asked about. */
export class PodTallies {
  readonly #byUid = new Map<string, PodTally>();
  readonly #podsOf: (set: DeepReadonly<KubeObject>) => readonly DeepReadonly<Pod>[];

  /** `podsOf`: those that have the set as their controller, as the informer knows them. */
  constructor(pods: Informer<Pod>, podsOf: (set: DeepReadonly<KubeObject>) => readonly DeepReadonly<Pod>[]) {
    this.#podsOf = podsOf;
    pods.onChange({
      added: (pod) => this.#change(pod, 1),
      updated: (old, pod) => {
        this.#change(old, -1);
        this.#change(pod, 1);
      },
      deleted: (_, last) => this.#change(last, -1),
    });
  }

  of(set: DeepReadonly<ReplicaSet>): PodTally {
    const { uid = "", generation } = set.metadata;
    const known = this.#byUid.get(uid);
    if (known !== undefined && known.generation === generation) return known;
    const tally = new PodTally(set, this.#podsOf(set));
    this.#byUid.set(uid, tally);
    return tally;
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }

  #change(pod: DeepReadonly<Pod>, by: 1 | -1): void {
    this.#byUid.get(getControllerOf(pod)?.uid ?? "")?.change(pod, by);
  }
}
