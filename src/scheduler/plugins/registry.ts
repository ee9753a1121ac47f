// All plug-ins by name, and the default profile: upstream's list, in upstream's order.
import type { Clock, Logger, Random } from "../../base/index.ts";
import type { Client, EventRecorder, InformerSource } from "../../client/index.ts";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { Plugin } from "../framework/plugin.ts";
import type { Nominator } from "../placement/nominator.ts";
import { defaultPreemption } from "../preemption/default-preemption.ts";
import { defaultBinder } from "./default-binder.ts";
import { dynamicResources } from "./dynamic-resources/dynamic-resources.ts";
import { gangScheduling } from "./gang-scheduling.ts";
import { imageLocality } from "./image-locality.ts";
import { interPodAffinity } from "./inter-pod-affinity/inter-pod-affinity.ts";
import { nodeAffinity } from "./node-affinity.ts";
import { nodeName } from "./node-name.ts";
import { nodePorts } from "./node-ports.ts";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "./node-resources-fit.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";
import { podTopologySpread } from "./pod-topology-spread/pod-topology-spread.ts";
import { prioritySort } from "./priority-sort.ts";
import { schedulingGates } from "./scheduling-gates.ts";
import { taintToleration } from "./taint-toleration.ts";
import { nodeVolumeLimits } from "./volumes/node-volume-limits.ts";
import { volumeBinding } from "./volumes/volume-binding.ts";
import { volumeRestrictions } from "./volumes/volume-restrictions.ts";
import { volumeZone } from "./volumes/volume-zone.ts";

/** What plug-ins are made with. Informers asked for here are running when the first pod is scheduled. */
export interface PluginContext {
  readonly client: Client;
  readonly informers: InformerSource;
  readonly recorder: Pick<EventRecorder, "event">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly cluster: ClusterState;
  readonly nominator: Nominator;
}

/** Makes a plug-in from what the configuration says in `pluginConfig` (nothing: {}). */
export type PluginFactory = (context: PluginContext, args: object) => Plugin;

export type PluginRegistry = Readonly<Record<string, PluginFactory>>;

/** By name, in the order of the default profile. */
export const defaultRegistry: PluginRegistry = {
  SchedulingGates: () => schedulingGates,
  GangScheduling: (context) => gangScheduling(context),
  PrioritySort: () => prioritySort,
  NodeUnschedulable: () => nodeUnschedulable,
  NodeName: () => nodeName,
  TaintToleration: () => taintToleration,
  NodeAffinity: (_, args) => nodeAffinity(args),
  NodePorts: () => nodePorts,
  NodeResourcesFit: (_, args) => nodeResourcesFit(args),
  VolumeRestrictions: (context) => volumeRestrictions(context),
  NodeVolumeLimits: (context) => nodeVolumeLimits(context),
  VolumeBinding: (context, args) => volumeBinding(context, args),
  VolumeZone: (context) => volumeZone(context),
  PodTopologySpread: (context, args) => podTopologySpread(context, args),
  InterPodAffinity: ({ cluster }, args) => interPodAffinity(cluster, args),
  DynamicResources: (context) => dynamicResources(context),
  DefaultPreemption: (context, args) => defaultPreemption(context, args),
  NodeResourcesBalancedAllocation: (_, args) => nodeResourcesBalancedAllocation(args),
  ImageLocality: () => imageLocality(),
  DefaultBinder: ({ client }) => defaultBinder(client),
};

/** The default profile. */
export const defaultPluginNames: readonly string[] = Object.keys(defaultRegistry);
