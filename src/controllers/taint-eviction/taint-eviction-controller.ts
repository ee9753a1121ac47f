// Deletes pods that do not tolerate their node's NoExecute taints, when their time is up.
import { resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { markDisruptionTarget } from "../disruption-target.ts";
import { noExecuteTaints, tolerationMs } from "./plan.ts";

const BY_NODE = "node";
const REASON = { reason: "DeletionByTaintManager", message: "Taint manager: deleting due to NoExecute taint" };

/** When a pod met its node's taints. */
interface Eviction {
  readonly uid: string;
  readonly sinceMs: number;
}

/** @see kubernetes `pkg/controller/tainteviction/taint_eviction.go` */
export function taintEvictionController(context: ControllerContext): Controller {
  const { client, clock, informers, recorder } = context;
  const queue = new WorkQueue<string>({ clock });
  const nodes = informers.informer(resources.nodes);
  const pods = informers.informer(resources.pods);
  const evictions = new Map<string, Eviction>();
  pods.addIndex(BY_NODE, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
  const add = (pod: DeepReadonly<Pod>) => queue.add(objectKey(pod));
  pods.onChange({
    added: add,
    updated: (old, pod) => {
      if (old.spec?.nodeName !== pod.spec?.nodeName || !deepEqual(old.spec?.tolerations, pod.spec?.tolerations)) add(pod);
    },
    deleted: add,
  });
  const addPodsOf = (name = "") => {
    for (const pod of pods.lister.byIndex(BY_NODE, name)) add(pod);
  };
  nodes.onChange({
    added: ({ metadata }) => addPodsOf(metadata.name),
    updated: (old, node) => {
      if (!deepEqual(noExecuteTaints(old), noExecuteTaints(node))) addPodsOf(node.metadata.name);
    },
  });

  const cancel = (key: string, pod?: DeepReadonly<Pod>) => {
    if (!evictions.delete(key) || pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
    recorder.event(pod, "Normal", "TaintManagerEviction", `Cancelling deletion of Pod ${key}`);
  };

  const evict = async (key: string, pod: DeepReadonly<Pod>, signal: AbortSignal) => {
    const { name = "", namespace, uid } = pod.metadata;
    recorder.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${key}`);
    try {
      await markDisruptionTarget(context, pod, { ...REASON, signal });
      await client.delete(resources.pods, name, { namespace, signal, options: { preconditions: { uid } } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const reconcile = async (key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
    const { namespace, name } = splitKey(key);
    const pod = pods.lister.get(namespace, name);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) {
      evictions.delete(key);
      return undefined;
    }
    const taints = noExecuteTaints(nodes.lister.get("", pod.spec?.nodeName ?? ""));
    const limitMs = tolerationMs(pod, taints);
    if (limitMs === Number.POSITIVE_INFINITY) {
      cancel(key, pod);
      return undefined;
    }
    const { uid = "" } = pod.metadata;
    const known = evictions.get(key);
    const eviction = known?.uid === uid ? known : { uid, sinceMs: clock.monotonic() };
    evictions.set(key, eviction);
    const leftMs = eviction.sinceMs + limitMs - clock.monotonic();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    await evict(key, pod, signal);
    return undefined;
  };
  return keyedController({ name: "taint-eviction-controller", context, queue, reconcile, concurrency: 8 });
}
