// From the configuration to profiles: which plug-ins take part where, by upstream's rules for `multiPoint`.
import type { Plugin } from "../framework/plugin.ts";
import type { NodeResourcesFitArgs } from "../plugins/node-resources-fit.ts";
import { defaultPluginNames, type PluginContext, type PluginRegistry } from "../plugins/registry.ts";
import {
  DEFAULT_SCHEDULER_NAME,
  type PluginRef,
  type PluginSet,
  type ProfileConfiguration,
  type SchedulerConfiguration,
  SchedulerConfigurationError,
} from "./configuration.ts";
import type { Extender } from "./extender.ts";
import { type ExtensionPoint, extensionPoints, makeProfile, type Profile, type WeightedPlugin } from "./profile.ts";

export interface MakeProfilesOptions {
  readonly configuration?: SchedulerConfiguration | undefined;
  readonly registry: PluginRegistry;
  readonly context: PluginContext;
  readonly extenders?: readonly Extender[];
}

const DEFAULT_PROFILE: ProfileConfiguration = { schedulerName: DEFAULT_SCHEDULER_NAME, plugins: {}, pluginArgs: {} };

/** One for each profile of the configuration. Throws SchedulerConfigurationError. */
export function makeProfiles({ configuration, registry, context, extenders = [] }: MakeProfilesOptions): Profile[] {
  const ignored = (configuration?.extenders ?? []).flatMap(({ ignoredResources }) => ignoredResources);
  return (configuration?.profiles ?? [DEFAULT_PROFILE]).map((each) => {
    const profile = ignored.length === 0 ? each : withIgnoredResources(each, ignored);
    const made = new Map<string, Plugin>();
    const pluginOf = ({ name, weight }: PluginRef): WeightedPlugin => {
      const plugin = made.get(name) ?? makePlugin(name, { profile, registry, context });
      made.set(name, plugin);
      return { plugin, weight: weight || (plugin.weight ?? 1) };
    };
    const multiPoint = merge(
      defaultPluginNames.map((name): PluginRef => ({ name })),
      profile.plugins.multiPoint,
    );
    const enabled = Object.fromEntries(
      extensionPoints.map((point) => [point, expand(multiPoint, profile.plugins[point]).map(pluginOf)]),
    ) as Record<ExtensionPoint, WeightedPlugin[]>;
    const { schedulerName, percentageOfNodesToScore } = profile;
    const result = makeProfile({ schedulerName, plugins: [], enabled, extenders, percentageOfNodesToScore });
    if (result.enabled.queueSort.length !== 1)
      throw new SchedulerConfigurationError(`profile "${schedulerName}": exactly one queue sort plugin must be enabled`);
    if (result.enabled.bind.length === 0)
      throw new SchedulerConfigurationError(`profile "${schedulerName}": at least one bind plugin is needed`);
    return result;
  });
}

/** What extenders manage, NodeResourcesFit does not count. */
function withIgnoredResources(profile: ProfileConfiguration, ignored: readonly string[]): ProfileConfiguration {
  const args = profile.pluginArgs["NodeResourcesFit"] as NodeResourcesFitArgs | undefined;
  const ignoredResources = [...(args?.ignoredResources ?? []), ...ignored];
  return { ...profile, pluginArgs: { ...profile.pluginArgs, NodeResourcesFit: { ...args, ignoredResources } } };
}

interface Making {
  readonly profile: ProfileConfiguration;
  readonly registry: PluginRegistry;
  readonly context: PluginContext;
}

function makePlugin(name: string, { profile, registry, context }: Making): Plugin {
  const factory = registry[name];
  if (factory === undefined) throw new SchedulerConfigurationError(`profile "${profile.schedulerName}": plugin "${name}" does not exist`);
  return factory(context, profile.pluginArgs[name] ?? {});
}

function isDisabled(name: string, { disabled = [] }: PluginSet): boolean {
  return disabled.some((ref) => ref.name === "*" || ref.name === name);
}

/** What a set makes of a default list: without the disabled, changed ones in their places, new ones at the end. */
function merge(defaults: readonly PluginRef[], set: PluginSet = {}): PluginRef[] {
  const { enabled = [] } = set;
  const kept = defaults.filter(({ name }) => !isDisabled(name, set)).map((ref) => enabled.find(({ name }) => name === ref.name) ?? ref);
  return [...kept, ...enabled.filter((ref) => !kept.some(({ name }) => name === ref.name))];
}

/** The list of one extension point: those set there that are also in `multiPoint` come first, then the others. */
function expand(multiPoint: readonly PluginRef[], set: PluginSet = {}): PluginRef[] {
  const { enabled = [] } = set;
  const isSet = (name: string) => enabled.some((ref) => ref.name === name);
  const isExpanded = (name: string) => multiPoint.some((ref) => ref.name === name);
  return [
    ...enabled.filter(({ name }) => isExpanded(name)),
    ...multiPoint.filter(({ name }) => !isSet(name) && !isDisabled(name, set)),
    ...enabled.filter(({ name }) => !isExpanded(name)),
  ];
}
