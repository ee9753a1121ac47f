// Which pods a policy's selectors mean. Answers are kept for one compilation, as many rules name the same selectors.
import type { Namespace } from "../../api/types/core/v1.ts";
import type { NetworkPolicyPeer } from "../../api/types/networking/v1.ts";
import { type DeepReadonly, type LabelSelectorMatcher, type Labels, labelSelectorMatcher } from "../../machinery/index.ts";
import type { PolicyPod } from "./policy-pod.ts";

type Selector = NonNullable<DeepReadonly<NetworkPolicyPeer>["podSelector"]>;

export interface PodSelection {
  /** The same for the same selectors of the same scope. */
  readonly key: string;
  readonly pods: readonly PolicyPod[];
}

export class PodSelector {
  readonly #podsByNamespace = new Map<string, PolicyPod[]>();
  readonly #namespaceLabels: ReadonlyMap<string, Labels>;
  readonly #selections = new Map<string, PodSelection>();

  constructor(pods: Iterable<PolicyPod>, namespaces: readonly DeepReadonly<Namespace>[]) {
    this.#namespaceLabels = new Map(namespaces.map(({ metadata }) => [metadata.name ?? "", metadata.labels ?? {}]));
    for (const pod of pods) {
      const known = this.#podsByNamespace.get(pod.namespace);
      if (known === undefined) this.#podsByNamespace.set(pod.namespace, [pod]);
      else known.push(pod);
    }
  }

  /** Pods of one namespace. */
  inNamespace(namespace: string, podSelector: Selector): PodSelection {
    return this.#select(JSON.stringify([namespace, podSelector]), [namespace], podSelector);
  }

  /** The pods that a peer without `ipBlock` means in a policy of `namespace`. */
  ofPeer(namespace: string, { namespaceSelector, podSelector = {} }: DeepReadonly<NetworkPolicyPeer>): PodSelection {
    if (namespaceSelector === undefined) return this.inNamespace(namespace, podSelector);
    const key = JSON.stringify([namespaceSelector, podSelector]);
    const known = this.#selections.get(key);
    if (known !== undefined) return known;
    const matcher = labelSelectorMatcher(namespaceSelector);
    const namespaces = [...this.#namespaceLabels].filter(([, labels]) => matcher.matches(labels)).map(([name]) => name);
    return this.#select(key, namespaces, podSelector);
  }

  all(): PodSelection {
    return this.#select("all", [...this.#podsByNamespace.keys()], {});
  }

  #select(key: string, namespaces: readonly string[], podSelector: Selector): PodSelection {
    const known = this.#selections.get(key);
    if (known !== undefined) return known;
    const matcher: LabelSelectorMatcher = labelSelectorMatcher(podSelector);
    const pods = namespaces.flatMap((name) => (this.#podsByNamespace.get(name) ?? []).filter(({ labels }) => matcher.matches(labels)));
    const selection = { key, pods };
    this.#selections.set(key, selection);
    return selection;
  }
}
