// Deletes pods that nobody else will: on nodes that are gone, finished and too many, deleted before they had a node.
import { isPodTerminal, resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, isNotFound } from "../../machinery/index.ts";
import type { Controller, ControllerContext } from "../controller.ts";
import { type DisruptionReason, markDisruptionTarget } from "../disruption-target.ts";
import { planPodGc } from "./plan.ts";

export interface PodGcOptions {
  /** Finished pods that may stay; 0: all. Default 12 500. */
  readonly terminatedPodThreshold?: number;
}

const NAME = "pod-garbage-collector-controller";
/** Upstream's period, and how long a node must have been away. */
const PERIOD_MS = 20_000;
const QUARANTINE_MS = 40_000;
const ORPHANED = { reason: "DeletionByPodGC", message: "PodGC: node no longer exists" };
const OUT_OF_SERVICE = { reason: "DeletionByPodGC", message: "PodGC: node is marked with the out-of-service taint" };

export function podGcController(context: ControllerContext, options: PodGcOptions = {}): Controller {
  const { client, clock, informers, logger } = context;
  const pods = informers.informer(resources.pods);
  const nodes = informers.informer(resources.nodes);
  /** When nodes that pods name were first missed. */
  const missedMs = new Map<string, number>();

  const remove = async (pod: DeepReadonly<Pod>, signal: AbortSignal, why?: DisruptionReason) => {
    const { name = "", namespace, uid } = pod.metadata;
    try {
      if (why !== undefined && !isPodTerminal(pod)) await markDisruptionTarget(context, pod, { ...why, phase: "Failed", signal });
      await client.delete(resources.pods, name, { namespace, signal, options: { gracePeriodSeconds: 0, preconditions: { uid } } });
    } catch (error) {
      if (!isNotFound(error) && !signal.aborted) logger.warn("a pod was not collected", { pod: name, namespace, error });
    }
  };

  /** Names of nodes that have been away for long and that the server does not have either. */
  const goneNodes = async (orphaned: readonly DeepReadonly<Pod>[], signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const missed = new Set(orphaned.map(({ spec }) => spec?.nodeName ?? ""));
    for (const name of missedMs.keys()) if (!missed.has(name)) missedMs.delete(name);
    const gone = new Set<string>();
    for (const name of missed) {
      const sinceMs = missedMs.get(name) ?? clock.monotonic();
      missedMs.set(name, sinceMs);
      if (clock.monotonic() - sinceMs < QUARANTINE_MS) continue;
      try {
        await client.get(resources.nodes, name, { signal });
      } catch (error) {
        if (isNotFound(error)) gone.add(name);
      }
    }
    return gone;
  };

  const collect = async (signal: AbortSignal) => {
    const plan = planPodGc(pods.lister.list(), (name) => nodes.lister.get("", name), options.terminatedPodThreshold);
    const gone = await goneNodes(plan.orphaned, signal);
    const orphaned = plan.orphaned.filter(({ spec }) => gone.has(spec?.nodeName ?? ""));
    await Promise.all([
      ...[...plan.terminated, ...plan.unscheduled].map((pod) => remove(pod, signal)),
      ...plan.outOfService.map((pod) => remove(pod, signal, OUT_OF_SERVICE)),
      ...orphaned.map((pod) => remove(pod, signal, ORPHANED)),
    ]);
  };

  const run = async (signal: AbortSignal) => {
    await informers.waitForSync(signal).catch(() => {});
    while (!signal.aborted) {
      await collect(signal);
      await clock.sleep(PERIOD_MS, signal).catch(() => {});
    }
  };
  return { name: NAME, run };
}
