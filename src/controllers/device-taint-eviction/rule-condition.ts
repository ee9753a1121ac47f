// What a DeviceTaintRule says about the evictions that it asks for. Pure.
import type { Condition } from "../../machinery/index.ts";
import type { Rule } from "./plan.ts";

export const EVICTION_IN_PROGRESS = "EvictionInProgress";

export interface RuleCounts {
  /** Pods that will be, or (effect None) would be evicted, and in how many namespaces they are. */
  readonly pods: number;
  readonly namespaces: number;
  /** How many pods were evicted because of the rule so far. */
  readonly evicted: number;
  /** Devices that it selects, in slices and in allocations; counted for effect None. */
  readonly publishedDevices: number;
  readonly allocatedDevices: number;
}

export function ruleCondition({ metadata, spec }: Rule, counts: RuleCounts): Omit<Condition, "lastTransitionTime"> {
  const { reason, message, isInProgress = false } = outcomeOf(spec.taint.effect, counts);
  const evicted = counts.evicted === 0 ? "" : `${count(counts.evicted, "pod")} evicted since starting the controller.`;
  return {
    type: EVICTION_IN_PROGRESS,
    status: isInProgress ? "True" : "False",
    reason,
    message: [message, evicted].filter((text) => text !== "").join(" "),
    observedGeneration: metadata.generation ?? 0,
  };
}

interface Outcome {
  readonly reason: string;
  readonly message: string;
  readonly isInProgress?: boolean;
}

function outcomeOf(effect: string, { pods, namespaces, evicted, publishedDevices, allocatedDevices }: RuleCounts): Outcome {
  const where = namespaces === 1 ? "1 namespace" : `${namespaces} different namespaces`;
  switch (effect) {
    case "NoExecute": {
      if (pods === 0) return { reason: evicted > 0 ? "Completed" : "NotStarted", message: "" };
      const need = pods === 1 ? "1 pod needs" : `${pods} pods need`;
      return { reason: "PodsPendingEviction", message: `${need} to be evicted in ${where}.`, isInProgress: true };
    }
    case "None": {
      const selected = `${count(publishedDevices, "published device")} selected. ${count(allocatedDevices, "allocated device")} selected.`;
      const would = `${count(pods, "pod")} would be evicted in ${where} if the effect was NoExecute.`;
      const once = "This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.";
      return { reason: "NoEffect", message: `${selected} ${would} ${once}` };
    }
    default:
      return { reason: "OtherEffect", message: "Eviction only happens for the NoExecute effect." };
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
