// What of a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) the scheduler follows.
import { parseDuration } from "../../base/index.ts";
import { type ExtensionPoint, extensionPoints } from "./profile.ts";

export interface PluginRef {
  readonly name: string;
  readonly weight?: number;
}

export interface PluginSet {
  readonly enabled?: readonly PluginRef[];
  /** `*` stands for all. */
  readonly disabled?: readonly PluginRef[];
}

export interface ProfileConfiguration {
  readonly schedulerName: string;
  readonly plugins: Readonly<Partial<Record<ExtensionPoint | "multiPoint", PluginSet>>>;
  /** Arguments by name of the plug-in. */
  readonly pluginArgs: Readonly<Record<string, object>>;
  /** Default: 0, by the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
}

/** Upstream's Extender, durations already in milliseconds. */
export interface ExtenderConfiguration {
  readonly urlPrefix: string;
  readonly filterVerb?: string;
  readonly prioritizeVerb?: string;
  readonly preemptVerb?: string;
  readonly bindVerb?: string;
  readonly weight: number;
  readonly httpTimeoutMs: number;
  readonly nodeCacheCapable: boolean;
  /** Resources that make a pod the extender's business; none: all pods are. */
  readonly managedResources: readonly string[];
  /** Those of them that NodeResourcesFit leaves to the extender. */
  readonly ignoredResources: readonly string[];
  readonly ignorable: boolean;
}

export interface SchedulerConfiguration {
  readonly profiles: readonly ProfileConfiguration[];
  readonly extenders: readonly ExtenderConfiguration[];
  readonly backoff: { readonly initialBackoffMs?: number; readonly maxBackoffMs?: number };
}

/** The configuration file is not one, or asks for what there is not. */
export class SchedulerConfigurationError extends Error {
  readonly code = "SCHEDULER_CONFIGURATION";
}

const API_VERSION = "kubescheduler.config.k8s.io/v1";

export const DEFAULT_SCHEDULER_NAME = "default-scheduler";

interface Document {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly profiles?: readonly ProfileDocument[];
  readonly extenders?: readonly ExtenderDocument[];
  readonly percentageOfNodesToScore?: number;
  readonly podInitialBackoffSeconds?: number;
  readonly podMaxBackoffSeconds?: number;
}

interface ProfileDocument {
  readonly schedulerName?: string;
  readonly percentageOfNodesToScore?: number;
  readonly plugins?: ProfileConfiguration["plugins"];
  readonly pluginConfig?: readonly { readonly name: string; readonly args?: object }[];
}

interface ExtenderDocument {
  readonly urlPrefix?: string;
  readonly filterVerb?: string;
  readonly prioritizeVerb?: string;
  readonly preemptVerb?: string;
  readonly bindVerb?: string;
  readonly weight?: number;
  readonly httpTimeout?: string;
  readonly nodeCacheCapable?: boolean;
  readonly managedResources?: readonly { readonly name: string; readonly ignoredByScheduler?: boolean }[];
  readonly ignorable?: boolean;
}

/** `document` is the parsed file. Throws SchedulerConfigurationError. */
export function schedulerConfiguration(document: unknown): SchedulerConfiguration {
  const file = (document ?? {}) as Document;
  if (file.apiVersion !== API_VERSION || file.kind !== "KubeSchedulerConfiguration") {
    const found = `${file.apiVersion ?? ""} ${file.kind ?? ""}`.trim();
    throw new SchedulerConfigurationError(
      `the scheduler's configuration must be a ${API_VERSION} KubeSchedulerConfiguration, not "${found}"`,
    );
  }
  const { percentageOfNodesToScore } = file;
  const common = percentageOfNodesToScore === undefined ? {} : { percentageOfNodesToScore };
  const profiles = (file.profiles ?? [{}]).map((profile) => profileOf({ ...common, ...profile }));
  const names = profiles.map(({ schedulerName }) => schedulerName);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new SchedulerConfigurationError(`two profiles have the schedulerName "${twice}"`);
  const { podInitialBackoffSeconds: initial, podMaxBackoffSeconds: max } = file;
  return {
    profiles,
    extenders: (file.extenders ?? []).map(extenderOf),
    backoff: {
      ...(initial === undefined ? {} : { initialBackoffMs: initial * 1000 }),
      ...(max === undefined ? {} : { maxBackoffMs: max * 1000 }),
    },
  };
}

function profileOf(profile: ProfileDocument): ProfileConfiguration {
  const { schedulerName = DEFAULT_SCHEDULER_NAME, plugins = {}, pluginConfig = [], percentageOfNodesToScore = 0 } = profile;
  const known: readonly string[] = ["multiPoint", ...extensionPoints];
  const unknown = Object.keys(plugins).find((point) => !known.includes(point));
  if (unknown !== undefined) throw new SchedulerConfigurationError(`profile "${schedulerName}": unknown extension point "${unknown}"`);
  if (!Number.isInteger(percentageOfNodesToScore) || percentageOfNodesToScore < 0 || percentageOfNodesToScore > 100) {
    throw new SchedulerConfigurationError(
      `profile "${schedulerName}": percentageOfNodesToScore must be a number from 0 to 100, not "${percentageOfNodesToScore}"`,
    );
  }
  return {
    schedulerName,
    plugins,
    pluginArgs: Object.fromEntries(pluginConfig.map(({ name, args = {} }) => [name, args])),
    percentageOfNodesToScore,
  };
}

function extenderOf({ urlPrefix, ...extender }: ExtenderDocument): ExtenderConfiguration {
  if (urlPrefix === undefined || !URL.canParse(urlPrefix)) {
    throw new SchedulerConfigurationError(`an extender's urlPrefix must be a URL, not "${urlPrefix ?? ""}"`);
  }
  const { weight = 1, httpTimeout = "5s", nodeCacheCapable = false, managedResources = [], ignorable = false } = extender;
  const verbs = Object.fromEntries(
    (["filterVerb", "prioritizeVerb", "preemptVerb", "bindVerb"] as const).flatMap((verb) =>
      extender[verb] ? [[verb, extender[verb]]] : [],
    ),
  );
  return {
    urlPrefix,
    ...verbs,
    weight,
    httpTimeoutMs: milliseconds(httpTimeout),
    nodeCacheCapable,
    managedResources: managedResources.map(({ name }) => name),
    ignoredResources: managedResources.flatMap(({ name, ignoredByScheduler }) => (ignoredByScheduler === true ? [name] : [])),
    ignorable,
  };
}

/** Of a metav1.Duration such as `1m30s`. */
function milliseconds(duration: string): number {
  const parsed = parseDuration(duration);
  if (parsed === undefined) throw new SchedulerConfigurationError(`an extender's httpTimeout must be a duration, not "${duration}"`);
  return parsed;
}
