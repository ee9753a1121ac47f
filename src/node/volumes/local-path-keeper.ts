// Keeps this node's local-path directories in step with the volumes that the API server has.
import { resources } from "../../api/index.ts";
import type { PersistentVolume } from "../../api/types/core/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import { type Client, type InformerSource, runWorkers, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isNotFound } from "../../machinery/index.ts";
import { isLocalPath, type LocalPathVolumes } from "./local-path.ts";

export interface LocalPathKeeperOptions {
  readonly client: Client;
  readonly informers: InformerSource;
  readonly volumes: LocalPathVolumes;
  /** The node's label kubernetes.io/hostname. */
  readonly hostname: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Works until the signal aborts. Ask for it before the informers are started. */
export function localPathKeeper(options: LocalPathKeeperOptions): { run(signal: AbortSignal): Promise<void> } {
  const { client, informers, volumes, hostname, clock, logger } = options;
  const queue = new WorkQueue<string>({ clock });
  const informer = informers.informer(resources.persistentvolumes);
  const changed = (volume: DeepReadonly<PersistentVolume>) => {
    if (isLocalPath(volume, hostname)) queue.add(volume.metadata.name ?? "");
  };
  informer.onChange({ added: changed, updated: (_, volume) => changed(volume), deleted: changed });
  const reconcile = async (name: string, signal: AbortSignal) => {
    const volume = informer.lister.get("", name);
    if (volume !== undefined) {
      if (isLocalPath(volume, hostname)) await volumes.ensure(volume);
      return undefined;
    }
    // What is removed is gone: the server itself has to say so.
    if (await isGone(client, name, signal)) await volumes.remove(name);
    return undefined;
  };
  const run = async (signal: AbortSignal) => {
    await informers.waitForSync(signal).catch(() => {});
    if (signal.aborted) return;
    for (const name of await volumes.list()) queue.add(name);
    await runWorkers({ queue, concurrency: 2, reconcile, logger, signal, name: "local-path" });
  };
  return { run };
}

async function isGone(client: Client, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await client.get(resources.persistentvolumes, name, { signal });
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}
