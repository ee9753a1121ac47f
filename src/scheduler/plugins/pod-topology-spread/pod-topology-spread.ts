// Spreads pods over zones, nodes or whatever label.
import type { Node, Pod, TopologySpreadConstraint } from "../../../api/types/core/v1.ts";
import { type InformerSource, LruMap } from "../../../client/index.ts";
import { type DeepReadonly, deepEqual } from "../../../machinery/index.ts";
import type { ClusterState } from "../../cluster/cluster-state.ts";
import { type PodInfo, podInfo } from "../../cluster/pod-info.ts";
import { wakesIf, wakesOn } from "../../framework/events.ts";
import type { Plugin } from "../../framework/plugin.ts";
import { type Constraint, HOSTNAME, ownConstraints, spreadKey, toConstraint, type WhenUnsatisfiable } from "./constraints.ts";
import { ownerSelectors } from "./owner-selectors.ts";
import { SpreadFilter } from "./spread-filter.ts";
import { SpreadScorer } from "./spread-scorer.ts";

export interface PodTopologySpreadArgs {
  readonly defaultConstraints?: readonly DeepReadonly<TopologySpreadConstraint>[];
  /** `System` (the default): upstream's constraints over nodes and zones. */
  readonly defaultingType?: "System" | "List";
}

const SYSTEM_CONSTRAINTS: readonly DeepReadonly<TopologySpreadConstraint>[] = [
  { topologyKey: HOSTNAME, whenUnsatisfiable: "ScheduleAnyway", maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway", maxSkew: 5 },
];

/** Kinds of pods that are remembered. */
const MAX_REMEMBERED = 512;

export interface PodTopologySpreadContext {
  readonly cluster: ClusterState;
  readonly informers: InformerSource;
}

export function podTopologySpread({ cluster, informers }: PodTopologySpreadContext, args: PodTopologySpreadArgs = {}): Plugin {
  const isSystem = args.defaultingType !== "List";
  const defaults = isSystem ? SYSTEM_CONSTRAINTS : (args.defaultConstraints ?? []);
  const selectorOf = ownerSelectors(informers);
  const filters = new LruMap<string, SpreadFilter>(MAX_REMEMBERED);
  const scorers = new LruMap<string, SpreadScorer>(MAX_REMEMBERED);
  const hasOwn = ({ pod }: PodInfo) => (pod.spec?.topologySpreadConstraints ?? []).length > 0;

  /** Undefined: none. The key is the same for pods whose constraints count the same. */
  const constraintsOf = (pod: PodInfo, when: WhenUnsatisfiable): { key: string; make(): readonly Constraint[] } | undefined => {
    const own = pod.pod.spec?.topologySpreadConstraints ?? [];
    const applying = (own.length > 0 ? own : defaults).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when);
    if (applying.length === 0) return undefined;
    if (own.length > 0) return { key: spreadKey(pod), make: () => ownConstraints(pod, when) };
    const selector = selectorOf(pod);
    if (selector === undefined) return undefined;
    const make = () => applying.map((constraint) => toConstraint(constraint, selector));
    return { key: `${spreadKey(pod)} ${selector.toString()}`, make };
  };

  return {
    name: "PodTopologySpread",
    weight: 2,
    wakesOn: spreadEvents(),
    preFilter: (pod) => {
      const constraints = constraintsOf(pod, "DoNotSchedule");
      if (constraints === undefined) return undefined;
      const { key, make } = constraints;
      let filter = filters.get(key);
      if (filter?.isCurrent() !== true) {
        filter = new SpreadFilter(pod, cluster, make());
        filters.set(key, filter);
      }
      return { filter };
    },
    preScore: (pod) => {
      const constraints = constraintsOf(pod, "ScheduleAnyway");
      if (constraints === undefined) return undefined;
      const { key, make } = constraints;
      let scorer = scorers.get(key);
      if (scorer?.isCurrent() !== true) {
        scorer = new SpreadScorer(pod, cluster, { constraints: make(), requiresAllTopologies: hasOwn(pod) || !isSystem });
        scorers.set(key, scorer);
      }
      return scorer;
    },
  };
}

/** Pods of the same namespace that a constraint counts change the skew; nodes change the domains. */
function spreadEvents() {
  const counts = (pod: PodInfo, other: DeepReadonly<Pod> | undefined) => {
    if (other === undefined) return true;
    const { namespace, labels } = podInfo(other);
    const constraints = ownConstraints(pod, "DoNotSchedule");
    // Of default constraints too little is known here.
    return constraints.length === 0 || (namespace === pod.namespace && constraints.some(({ selector }) => selector.matches(labels)));
  };
  const hasKeys = (pod: PodInfo, node: DeepReadonly<Node> | undefined) =>
    node === undefined ||
    ownConstraints(pod, "DoNotSchedule").every(({ topologyKey }) => node.metadata.labels?.[topologyKey] !== undefined);
  return [
    ...wakesOn("PodUpdate", "NodeUpdateTaint"),
    wakesIf<Pod>("AssignedPodAdd", (pod, change) => counts(pod, change.new)),
    wakesIf<Pod>("AssignedPodDelete", (pod, change) => counts(pod, change.old)),
    wakesIf<Pod>("AssignedPodUpdateLabel", (pod, change) => counts(pod, change.old) || counts(pod, change.new)),
    wakesIf<Node>("NodeAdd", (pod, change) => hasKeys(pod, change.new)),
    wakesIf<Node>("NodeDelete", (pod, change) => hasKeys(pod, change.old)),
    wakesIf<Node>("NodeUpdateLabel", (pod, change) => {
      const keys = ownConstraints(pod, "DoNotSchedule").map(({ topologyKey }) => topologyKey);
      return !deepEqual(
        keys.map((key) => change.old?.metadata.labels?.[key]),
        keys.map((key) => change.new?.metadata.labels?.[key]),
      );
    }),
  ];
}
