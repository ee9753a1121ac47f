// The plug-ins that decide for the pods of one scheduler name, by extension point.
import type { Plugin } from "../framework/plugin.ts";
import type { Extender } from "./extender.ts";

/** Upstream's names, as in KubeSchedulerConfiguration. */
export const extensionPoints = [
  "preEnqueue",
  "queueSort",
  "preFilter",
  "filter",
  "postFilter",
  "preScore",
  "score",
  "reserve",
  "permit",
  "preBind",
  "bind",
  "postBind",
] as const;

export type ExtensionPoint = (typeof extensionPoints)[number];

export interface WeightedPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

export interface Profile {
  readonly schedulerName: string;
  /** In the order in which they are asked. */
  readonly enabled: Readonly<Record<ExtensionPoint, readonly WeightedPlugin[]>>;
  readonly extenders: readonly Extender[];
  /** How many of the nodes that take a pod are compared, in percent; 0: by the size of the cluster. */
  readonly percentageOfNodesToScore: number;
}

/** Whether the plug-in has anything to do at that extension point. */
const takesPart: Readonly<Record<ExtensionPoint, (plugin: Plugin) => boolean>> = {
  preEnqueue: ({ preEnqueue }) => preEnqueue !== undefined,
  queueSort: ({ compare }) => compare !== undefined,
  preFilter: ({ preFilter }) => preFilter !== undefined,
  filter: ({ filter, preFilter }) => filter !== undefined || preFilter !== undefined,
  postFilter: ({ postFilter }) => postFilter !== undefined,
  preScore: ({ preScore }) => preScore !== undefined,
  score: ({ scoring, preScore }) => scoring !== undefined || preScore !== undefined,
  reserve: ({ reserve, unreserve }) => reserve !== undefined || unreserve !== undefined,
  permit: ({ permit }) => permit !== undefined,
  preBind: ({ preBind }) => preBind !== undefined,
  bind: ({ bind }) => bind !== undefined,
  postBind: ({ postBind }) => postBind !== undefined,
};

export interface ProfileOptions {
  readonly schedulerName?: string;
  /** Asked at all extension points where they take part. */
  readonly plugins: readonly Plugin[];
  /** Lists for single extension points, in place of `plugins`. */
  readonly enabled?: Partial<Record<ExtensionPoint, readonly WeightedPlugin[]>>;
  readonly extenders?: readonly Extender[];
  readonly percentageOfNodesToScore?: number | undefined;
}

export function makeProfile(options: ProfileOptions): Profile {
  const { schedulerName = "default-scheduler", plugins, enabled = {}, extenders = [], percentageOfNodesToScore = 0 } = options;
  const everywhere = plugins.map((plugin): WeightedPlugin => ({ plugin, weight: plugin.weight ?? 1 }));
  const at = (point: ExtensionPoint) => (enabled[point] ?? everywhere).filter(({ plugin }) => takesPart[point](plugin));
  const lists = Object.fromEntries(extensionPoints.map((point) => [point, at(point)])) as Record<ExtensionPoint, WeightedPlugin[]>;
  return { schedulerName, enabled: lists, extenders, percentageOfNodesToScore };
}

/** Every plug-in of the profile once. */
export function pluginsOf({ enabled }: Profile): Plugin[] {
  return [...new Set(extensionPoints.flatMap((point) => enabled[point].map(({ plugin }) => plugin)))];
}
