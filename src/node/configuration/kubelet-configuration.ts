// What of a KubeletConfiguration (kubelet.config.k8s.io/v1beta1) the node agent follows.
import { parseDuration } from "../../base/index.ts";
import { type EvictionConfig, mergeDefaultHard, parseThresholds } from "../eviction/thresholds.ts";
import { DEFAULT_VERIFICATION, type PullVerification } from "../images/pull-records.ts";
import type { ShutdownPeriod } from "../shutdown/plan.ts";

export interface KubeletConfiguration {
  readonly eviction: EvictionConfig;
  /** Absent: the agent's default. */
  readonly maxPods?: number;
  /** How many processes a pod may have; absent or negative: as many as the node. */
  readonly podPidsLimit?: number;
  /** How long pods may take to end when the machine is shut down, lowest priority first; none: they are left to the machine. */
  readonly shutdown: readonly ShutdownPeriod[];
  readonly pullVerification: PullVerification;
}

/** What holds without a file. */
export const DEFAULT_CONFIGURATION: KubeletConfiguration = { eviction: {}, shutdown: [], pullVerification: DEFAULT_VERIFICATION };

/** The configuration file is not one, or asks for what there is not. */
export class KubeletConfigurationError extends Error {
  readonly code = "KUBELET_CONFIGURATION";
}

const API_VERSION = "kubelet.config.k8s.io/v1beta1";
/** Pods of this priority and above are critical. */
const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;

/** The fields that are followed; their meaning and defaults are upstream's. */
interface Document {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly evictionHard?: Readonly<Record<string, string>>;
  readonly evictionSoft?: Readonly<Record<string, string>>;
  readonly evictionSoftGracePeriod?: Readonly<Record<string, string>>;
  readonly evictionMinimumReclaim?: Readonly<Record<string, string>>;
  readonly evictionMaxPodGracePeriod?: number;
  readonly evictionPressureTransitionPeriod?: string;
  readonly mergeDefaultEvictionSettings?: boolean;
  readonly maxPods?: number;
  readonly podPidsLimit?: number;
  readonly shutdownGracePeriod?: string;
  readonly shutdownGracePeriodCriticalPods?: string;
  readonly shutdownGracePeriodByPodPriority?: readonly { readonly priority: number; readonly shutdownGracePeriodSeconds: number }[];
  readonly imagePullCredentialsVerificationPolicy?: string;
  readonly preloadedImagesVerificationAllowlist?: readonly string[];
}

const FIELDS: ReadonlySet<string> = new Set<keyof Document>([
  "apiVersion",
  "kind",
  "evictionHard",
  "evictionSoft",
  "evictionSoftGracePeriod",
  "evictionMinimumReclaim",
  "evictionMaxPodGracePeriod",
  "evictionPressureTransitionPeriod",
  "mergeDefaultEvictionSettings",
  "maxPods",
  "podPidsLimit",
  "shutdownGracePeriod",
  "shutdownGracePeriodCriticalPods",
  "shutdownGracePeriodByPodPriority",
  "imagePullCredentialsVerificationPolicy",
  "preloadedImagesVerificationAllowlist",
]);

const VERIFICATION_POLICIES = ["NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages", "AlwaysVerify"] as const;

/** `document` is the parsed file. @throws KubeletConfigurationError, EvictionConfigError */
export function kubeletConfiguration(document: unknown): KubeletConfiguration {
  const file = (document ?? {}) as Document;
  if (file.apiVersion !== API_VERSION || file.kind !== "KubeletConfiguration") {
    const found = `${file.apiVersion ?? ""} ${file.kind ?? ""}`.trim();
    throw new KubeletConfigurationError(`the kubelet's configuration must be a ${API_VERSION} KubeletConfiguration, not "${found}"`);
  }
  const unknown = Object.keys(file).filter((name) => !FIELDS.has(name));
  if (unknown.length > 0) throw new KubeletConfigurationError(`these fields are not followed: ${unknown.join(", ")}`);
  const { maxPods, podPidsLimit } = file;
  const eviction = evictionOf(file);
  parseThresholds(eviction);
  return {
    eviction,
    ...(maxPods === undefined ? {} : { maxPods: atLeastZero("maxPods", maxPods) }),
    ...(podPidsLimit === undefined ? {} : { podPidsLimit }),
    shutdown: shutdownOf(file),
    pullVerification: verificationOf(file),
  };
}

function evictionOf(file: Document): EvictionConfig {
  const { evictionHard, evictionSoft, evictionSoftGracePeriod = {}, evictionMinimumReclaim, evictionMaxPodGracePeriod } = file;
  const { evictionPressureTransitionPeriod: transition, mergeDefaultEvictionSettings: isMerged } = file;
  const graces = Object.entries(evictionSoftGracePeriod).map(([signal, text]) => {
    return [signal, milliseconds("evictionSoftGracePeriod", text)] as const;
  });
  return {
    ...(evictionHard === undefined ? {} : { evictionHard: isMerged === true ? mergeDefaultHard(evictionHard) : evictionHard }),
    ...(evictionSoft === undefined ? {} : { evictionSoft }),
    evictionSoftGracePeriodMs: Object.fromEntries(graces),
    ...(evictionMinimumReclaim === undefined ? {} : { evictionMinimumReclaim }),
    ...(evictionMaxPodGracePeriod === undefined ? {} : { evictionMaxPodGracePeriod }),
    ...(transition === undefined
      ? {}
      : { evictionPressureTransitionPeriodMs: milliseconds("evictionPressureTransitionPeriod", transition) }),
  };
}

/** @see https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/ */
function shutdownOf(file: Document): readonly ShutdownPeriod[] {
  const byPriority = file.shutdownGracePeriodByPodPriority ?? [];
  const { shutdownGracePeriod = "0s", shutdownGracePeriodCriticalPods = "0s" } = file;
  const totalMs = milliseconds("shutdownGracePeriod", shutdownGracePeriod);
  const criticalMs = milliseconds("shutdownGracePeriodCriticalPods", shutdownGracePeriodCriticalPods);
  if (byPriority.length > 0) {
    if (totalMs > 0 || criticalMs > 0) {
      throw new KubeletConfigurationError("shutdownGracePeriodByPodPriority cannot be given together with shutdownGracePeriod");
    }
    const periods = byPriority.map(({ priority, shutdownGracePeriodSeconds }) => ({
      priority,
      graceMs: shutdownGracePeriodSeconds * 1000,
    }));
    return periods.toSorted((a, b) => a.priority - b.priority);
  }
  if (criticalMs > totalMs) {
    throw new KubeletConfigurationError("shutdownGracePeriodCriticalPods must not be longer than shutdownGracePeriod");
  }
  if (totalMs === 0) return [];
  return [
    { priority: 0, graceMs: totalMs - criticalMs },
    { priority: SYSTEM_CRITICAL_PRIORITY, graceMs: criticalMs },
  ];
}

function verificationOf(file: Document): PullVerification {
  const { imagePullCredentialsVerificationPolicy: wanted = DEFAULT_VERIFICATION.policy, preloadedImagesVerificationAllowlist = [] } = file;
  const policy = VERIFICATION_POLICIES.find((known) => known === wanted);
  if (policy === undefined) {
    throw new KubeletConfigurationError(`imagePullCredentialsVerificationPolicy must be one of ${VERIFICATION_POLICIES.join(", ")}`);
  }
  if (preloadedImagesVerificationAllowlist.length > 0 && policy !== "NeverVerifyAllowlistedImages") {
    throw new KubeletConfigurationError("preloadedImagesVerificationAllowlist goes with the policy NeverVerifyAllowlistedImages only");
  }
  return { policy, allowlist: preloadedImagesVerificationAllowlist };
}

function atLeastZero(field: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new KubeletConfigurationError(`${field} must be a number of at least 0`);
}

function milliseconds(field: string, text: string): number {
  const parsed = parseDuration(text);
  if (parsed !== undefined) return parsed;
  throw new KubeletConfigurationError(`${field} must be a duration such as 1m30s, not "${text}"`);
}
