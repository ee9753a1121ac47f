// Quota usage of pods: their number, and what they request and may use until they have ended.
import { type DeepReadonly, parseQuantity, Quantity, type QuantityFormat } from "../../machinery/index.ts";
import { isExtendedResource } from "../core/pod-spec/validate-resources.ts";
import { type PodRequests, podLimits, podRequests } from "../pod-resources.ts";
import { isPodTerminal, podQosClass } from "../pod-state.ts";
import type { Container, Pod, PodAffinityTerm } from "../types/core/v1.ts";
import { matchesScopeValues, objectCountName, type QuotaEvaluator, type ScopeSelector } from "./evaluator.ts";
import type { ResourceList } from "./resource-list.ts";

const COUNT = objectCountName("", "pods");
const HUGE_PAGES = "hugepages-";
const computeNames = ["cpu", "memory", "ephemeral-storage"];
const counted = new Set([COUNT, "pods", ...computeNames.flatMap((name) => [name, `requests.${name}`, `limits.${name}`])]);
/** Where one of these is limited, every container must say what it needs; upstream regrets it, clients rely on it. */
const demanded = new Set(["cpu", "memory"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]));

type Amounts = DeepReadonly<Record<string, string>>;

export const podEvaluator: QuotaEvaluator<Pod> = {
  counts(name) {
    if (counted.has(name) || name.startsWith(HUGE_PAGES)) return true;
    return (
      name.startsWith("requests.") && (name.startsWith(`requests.${HUGE_PAGES}`) || isExtendedResource(name.slice("requests.".length)))
    );
  },

  handles: ({ operation, subresource }) => subresource === (operation === "CREATE" ? "" : "resize"),

  isInScope: isPodInScope,

  usage(pod, nowMs) {
    if (isPodTerminal(pod) || isOverdue(pod, nowMs)) return { [COUNT]: "1" };
    return { [COUNT]: "1", pods: "1", ...computeUsage(requestTexts(pod), limitTexts(pod)) };
  },

  missing({ spec }, required) {
    const wanted = required.filter((name) => demanded.has(name)).sort();
    const { containers = [], initContainers = [] } = spec ?? {};
    const problems = wanted.flatMap((name) => {
      const lacking = [...containers, ...initContainers].filter((container) => computeUsageOf(container)[name] === undefined);
      const names = [...new Set(lacking.map((container) => container.name))].sort();
      return names.length === 0 ? [] : [`${name} for: ${names.join(",")}`];
    });
    return problems.length === 0 ? undefined : `must specify ${problems.join("; ")}`;
  },
};

/** A deleted pod that should long be gone. */
function isOverdue({ metadata }: DeepReadonly<Pod>, nowMs: number): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function computeUsageOf({ resources }: DeepReadonly<Container>): ResourceList {
  return computeUsage(resources?.requests ?? {}, resources?.limits ?? {});
}

function computeUsage(requests: Amounts, limits: Amounts): ResourceList {
  const usage: Record<string, string> = {};
  for (const [name, amount] of Object.entries(requests)) {
    if (computeNames.includes(name) || name.startsWith(HUGE_PAGES)) usage[name] = amount;
    else if (!isExtendedResource(name)) continue;
    usage[`requests.${name}`] = amount;
  }
  for (const name of computeNames) {
    const limit = limits[name];
    if (limit !== undefined) usage[`limits.${name}`] = limit;
  }
  return usage;
}

const requestTexts = (pod: DeepReadonly<Pod>) => textsOf(pod, podRequests(pod), "requests");
const limitTexts = (pod: DeepReadonly<Pod>) => textsOf(pod, podLimits(pod), "limits");

function textsOf(
  pod: DeepReadonly<Pod>,
  { cpuMilli, memoryBytes, ephemeralBytes, extended }: PodRequests,
  side: "requests" | "limits",
): Amounts {
  const texts: Record<string, string> = {};
  const add = (name: string, nano: bigint) => {
    if (nano !== 0n) texts[name] = new Quantity(nano, formatOf(pod, side, name)).toString();
  };
  add("cpu", BigInt(cpuMilli) * 1_000_000n);
  add("memory", BigInt(memoryBytes) * 1_000_000_000n);
  add("ephemeral-storage", BigInt(ephemeralBytes) * 1_000_000_000n);
  for (const [name, amount] of extended) add(name, BigInt(amount) * 1_000_000_000n);
  return texts;
}

/** Sums are shown in the form of their first part. */
function formatOf({ spec }: DeepReadonly<Pod>, side: "requests" | "limits", name: string): QuantityFormat {
  for (const { resources } of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
    const text = resources?.[side]?.[name];
    if (text !== undefined) return parseQuantity(text).format;
  }
  return name === "cpu" ? "DecimalSI" : "BinarySI";
}

function isPodInScope(pod: DeepReadonly<Pod>, scope: ScopeSelector): boolean {
  const { spec } = pod;
  switch (scope.scopeName) {
    case "Terminating":
      return (spec?.activeDeadlineSeconds ?? -1) >= 0;
    case "NotTerminating":
      return (spec?.activeDeadlineSeconds ?? -1) < 0;
    case "BestEffort":
      return podQosClass(pod) === "BestEffort";
    case "NotBestEffort":
      return podQosClass(pod) !== "BestEffort";
    case "PriorityClass":
      return matchesScopeValues(scope, spec?.priorityClassName ? [spec.priorityClassName] : []);
    case "CrossNamespacePodAffinity":
      return affinityTerms(pod).some(({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined);
    default:
      return false;
  }
}

function affinityTerms({ spec }: DeepReadonly<Pod>): DeepReadonly<PodAffinityTerm>[] {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
  ]);
}
