// What the services and controllers of a pod select: default constraints spread all those pods.
import { resources } from "../../../api/index.ts";
import type { ReplicaSet, StatefulSet } from "../../../api/types/apps/v1.ts";
import type { ReplicationController, Service } from "../../../api/types/core/v1.ts";
import type { InformerSource, Lister } from "../../../client/index.ts";
import { type DeepReadonly, type LabelSelectorMatcher, labelSelectorMatcher, labelSetMatcher } from "../../../machinery/index.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";

/** What the services and controllers of a pod select, all together; undefined when there are none. */
export function ownerSelectors(informers: InformerSource): (pod: PodInfo) => LabelSelectorMatcher | undefined {
  const services = informers.informer<Service>(resources.services).lister;
  const replicationControllers = informers.informer<ReplicationController>(resources.replicationcontrollers).lister;
  const replicaSets = informers.informer<ReplicaSet>(resources.replicasets).lister;
  const statefulSets = informers.informer<StatefulSet>(resources.statefulsets).lister;
  const ownerSelector = ({ pod, namespace }: PodInfo) => {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner === undefined) return undefined;
    const selectorIn = (lister: Lister<ReplicaSet> | Lister<StatefulSet>) => lister.get(namespace, owner.name)?.spec?.selector;
    switch (owner.kind) {
      case "ReplicationController":
        return labelSetMatcher(replicationControllers.get(namespace, owner.name)?.spec?.selector);
      case "ReplicaSet":
        return labelSelectorMatcher(selectorIn(replicaSets));
      case "StatefulSet":
        return labelSelectorMatcher(selectorIn(statefulSets));
      default:
        return undefined;
    }
  };
  return (pod) => {
    const matchers: LabelSelectorMatcher[] = [];
    for (const service of services.list(pod.namespace)) {
      const matcher = serviceMatcher(service);
      if (!matcher.isEverything && matcher.matches(pod.labels)) matchers.push(matcher);
    }
    const owner = ownerSelector(pod);
    if (owner !== undefined && !owner.isNothing) matchers.push(owner);
    if (matchers.every(({ isEverything }) => isEverything)) return undefined;
    return allOf(matchers);
  };
}

const serviceMatchers = new WeakMap<DeepReadonly<Service>, LabelSelectorMatcher>();

/** Made once for each version of a service; everything for one without a selector. */
function serviceMatcher(service: DeepReadonly<Service>): LabelSelectorMatcher {
  const known = serviceMatchers.get(service);
  if (known !== undefined) return known;
  const matcher = labelSetMatcher(service.spec?.selector);
  serviceMatchers.set(service, matcher);
  return matcher;
}

function allOf(matchers: readonly LabelSelectorMatcher[]): LabelSelectorMatcher {
  const requirements = matchers.flatMap(({ requirements: some }) => some);
  return {
    requirements,
    matches: (labels) => matchers.every((matcher) => matcher.matches(labels)),
    isEverything: requirements.length === 0,
    isNothing: false,
    exactValue: (key) => matchers.map((matcher) => matcher.exactValue(key)).find((value) => value !== undefined),
    toString: () => matchers.map((matcher) => matcher.toString()).join(","),
  };
}
