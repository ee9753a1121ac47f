// An operator: scales a Deployment to nothing when the lifetime in its annotation is over.
import { resources } from "../../src/api/index.ts";
import type { Clock, Logger } from "../../src/base/index.ts";
import { type Client, type InformerSource, type ReconcileResult, runWorkers, WorkQueue } from "../../src/client/index.ts";
import { type DeepReadonly, type KubeObject, objectKey, splitKey } from "../../src/machinery/index.ts";

/** Seconds from its creation that a Deployment may run. */
export const LIFETIME = "example.com/lifetime-seconds";

export interface ReaperOptions {
  readonly client: Client;
  readonly informers: InformerSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Works until the signal aborts. */
export async function runReaper({ client, informers, clock, logger }: ReaperOptions, signal: AbortSignal): Promise<void> {
  const queue = new WorkQueue<string>({ clock });
  const deployments = informers.informer(resources.deployments);
  const add = (deployment: DeepReadonly<KubeObject>) => queue.add(objectKey(deployment));
  deployments.onChange({ added: add, updated: (_, deployment) => add(deployment) });

  const reconcile = async (key: string): Promise<ReconcileResult> => {
    const { namespace, name } = splitKey(key);
    const deployment = deployments.lister.get(namespace, name);
    const lifetimeSeconds = Number(deployment?.metadata.annotations?.[LIFETIME] ?? 0);
    if (deployment === undefined || !(lifetimeSeconds > 0) || deployment.spec?.replicas === 0) return {};
    const leftMs = Date.parse(deployment.metadata.creationTimestamp ?? "") + lifetimeSeconds * 1000 - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    await client.patch(resources.deployments, name, { spec: { replicas: 0 } }, { namespace, type: "application/merge-patch+json", signal });
    return {};
  };

  informers.start(signal);
  await informers.waitForSync(signal);
  await runWorkers({ queue, concurrency: 1, reconcile, logger, signal, name: "reaper" });
}
