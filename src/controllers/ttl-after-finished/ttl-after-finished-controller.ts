// Deletes Jobs some time after they are over, by ttlSecondsAfterFinished.
import { resources } from "../../api/index.ts";
import type { Job } from "../../api/types/batch/v1.ts";
import { type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isConflict, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { expiresAtMs } from "./plan.ts";

export function ttlAfterFinishedController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const jobs = informers.informer(resources.jobs);
  const add = (job: DeepReadonly<Job>) => {
    if (expiresAtMs(job) !== undefined) queue.add(objectKey(job));
  };
  jobs.onChange({ added: add, updated: (_, job) => add(job) });
  const reconcile = async (key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
    const { namespace, name } = splitKey(key);
    const job = jobs.lister.get(namespace, name);
    const expiresMs = job === undefined ? undefined : expiresAtMs(job);
    if (job === undefined || expiresMs === undefined) return undefined;
    const leftMs = expiresMs - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    // Whoever has given the job more time in between is heard.
    const { uid, resourceVersion } = job.metadata;
    const options = { preconditions: { uid, resourceVersion }, propagationPolicy: "Foreground" as const };
    await client.delete(resources.jobs, name, { namespace, signal, options }).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
    return undefined;
  };
  return keyedController({ name: "ttl-after-finished-controller", context, queue, reconcile });
}
