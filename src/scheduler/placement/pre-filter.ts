// PreFilter: asks the plug-ins of a profile once for a pod, before any node is looked at.
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { type ClusterFilter, isRejection, type NodeRejection, type Plugin, type Rejection } from "../framework/plugin.ts";
import type { Profile } from "../profile/profile.ts";

export interface NamedFilter {
  readonly plugin: Plugin;
  readonly filter: ClusterFilter;
}

/** What PreFilter leaves of the cluster for a pod. */
export interface Prepared {
  /** Filters that look at more than the node; those that let every node pass are left out. */
  readonly filters: readonly NamedFilter[];
  /** Only these nodes count; undefined: all. */
  readonly nodeNames: ReadonlySet<string> | undefined;
  /** Which plug-ins narrowed the nodes down. */
  readonly narrowedBy: readonly Plugin[];
}

/** All nodes are rejected at once. */
export interface Refused {
  readonly plugin: Plugin;
  readonly rejection: Rejection;
}

export function preFilter(profile: Profile, pod: PodInfo, cluster: ClusterState): Prepared | Refused {
  const filters: NamedFilter[] = [];
  const narrowedBy: Plugin[] = [];
  let nodeNames: ReadonlySet<string> | undefined;
  for (const { plugin } of profile.enabled.preFilter) {
    const result = plugin.preFilter?.(pod, cluster);
    if (result === undefined) continue;
    if (isRejection(result)) return { plugin, rejection: result };
    if (result.nodeNames !== undefined) {
      nodeNames = both(nodeNames, result.nodeNames);
      narrowedBy.push(plugin);
      if (nodeNames.size === 0) return { plugin, rejection: noNodeLeft(narrowedBy) };
    }
    const { filter } = result;
    if (filter !== undefined && isFiltering(profile, plugin) && (filter.isActive?.() ?? true)) filters.push({ plugin, filter });
  }
  for (const { plugin } of profile.enabled.filter) {
    if (plugin.filter === undefined || plugin.reads !== undefined) continue;
    filters.push({ plugin, filter: { filter: (node) => plugin.filter?.(pod, node) } });
  }
  return { filters, nodeNames, narrowedBy };
}

function both(some: ReadonlySet<string> | undefined, others: ReadonlySet<string>): ReadonlySet<string> {
  return some === undefined ? others : new Set([...some].filter((name) => others.has(name)));
}

function isFiltering(profile: Profile, plugin: Plugin): boolean {
  return profile.enabled.filter.some((enabled) => enabled.plugin === plugin);
}

function pluginNames(plugins: readonly Plugin[]): string {
  return `[${plugins
    .map(({ name }) => name)
    .sort()
    .join(" ")}]`;
}

function noNodeLeft(plugins: readonly Plugin[]): Rejection {
  const [first] = plugins;
  const reason =
    plugins.length === 1
      ? `node(s) didn't satisfy plugin ${first?.name ?? ""}`
      : `node(s) didn't satisfy plugin(s) ${pluginNames(plugins)} simultaneously`;
  return { reasons: [reason], isUnresolvable: true };
}

/** Of a node that PreFilter left out. */
export function narrowedOut(prepared: Prepared, node: NodeInfo): NodeRejection | undefined {
  const { nodeNames, narrowedBy } = prepared;
  const [plugin] = narrowedBy;
  if (nodeNames === undefined || plugin === undefined || nodeNames.has(node.name)) return undefined;
  return { node, plugin, rejection: { reasons: [`node(s) didn't satisfy plugin(s) ${pluginNames(narrowedBy)}`], isUnresolvable: true } };
}
