// `k8ts store migrate`: moves a cluster's objects from one store to another while its server stands still.
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "../../base/index.ts";
import type { Store } from "../../storage/index.ts";
import type { ClusterSpec } from "../config/cluster.ts";
import type { EtcdFiles } from "../config/process-config.ts";
import { DATA_FILE, openSealedStore } from "../server/open-store.ts";
import { writePrivate } from "../system/files.ts";
import { stopDaemon } from "../system/processes.ts";
import type { HostCluster } from "../up/cluster.ts";

/** A move that was not begun; the message says what to do. */
export class MigrationError extends Error {
  readonly code = "MIGRATION";
}

const PAGE_SIZE = 500;
const SERVER_GRACE_MS = 10_000;
/** Events live an hour; how much of it has passed is not known to the new store. */
const EVENTS_PREFIX = "/registry/core/events/";
const EVENT_SECONDS = 3_600;

/** Writes everything of `source` into `target` as it lies there, sealed values too; answers how many values. Revisions are the target's own. */
export async function copyAll(source: Store, target: Store): Promise<number> {
  const revision = await source.currentRevision();
  let count = 0;
  let after: string | undefined;
  for (;;) {
    const page = await source.range("/", { revision, limit: PAGE_SIZE, ...(after === undefined ? {} : { after }) });
    const options = (key: string) => (key.startsWith(EVENTS_PREFIX) ? { ttlSeconds: EVENT_SECONDS } : {});
    await Promise.all(page.entries.map(({ key, value }) => target.create(key, value, options(key))));
    count += page.entries.length;
    after = page.entries.at(-1)?.key;
    if (!page.hasMore || after === undefined) return count;
  }
}

/** Stops the server, copies, and notes the new store; the next `up` starts on it. The old store keeps what it has. */
export async function migrate(cluster: HostCluster, etcd: EtcdFiles | undefined): Promise<number> {
  const spec = cluster.spec();
  if (spec.etcd?.url === etcd?.url) throw new MigrationError("the cluster is in this store already");
  const { serverData: dataDirectory, serverPid, clusterFile } = cluster.layout;
  const context = { clock: cluster.clock, logger: silentLogger };
  const target = await openSealedStore({ dataDirectory, ...(etcd === undefined ? {} : { etcd }) }, context);
  try {
    const { entries } = await target.range("/", { limit: 1 });
    if (entries.length > 0) throw new MigrationError("there are objects in the new store already: name another prefix, or empty it first");
    await stopDaemon(serverPid, { clock: cluster.clock, graceMs: SERVER_GRACE_MS });
    const source = await openSealedStore({ dataDirectory, ...(spec.etcd === undefined ? {} : { etcd: spec.etcd }) }, context);
    const count = await copyAll(source, target).finally(() => source.close());
    const { etcd: _, ...rest } = spec;
    const moved: ClusterSpec = etcd === undefined ? rest : { ...rest, etcd };
    writePrivate(clusterFile, `${JSON.stringify(moved, undefined, 2)}\n`);
    if (etcd !== undefined) setAside(join(dataDirectory, DATA_FILE));
    return count;
  } finally {
    await target.close();
  }
}

/** Out of the way of a move back; nothing is deleted. */
function setAside(file: string): void {
  for (const suffix of ["", "-lock"]) if (existsSync(file + suffix)) renameSync(file + suffix, `${file}.moved${suffix}`);
}
