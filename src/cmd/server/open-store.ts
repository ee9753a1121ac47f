// Opens the store that a server's configuration names, below its encryption.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { EncryptingStore, LmdbStore, openEtcdStore, type Store } from "../../storage/index.ts";
import type { EtcdFiles, StoreConfig } from "../config/process-config.ts";
import { parseEtcdUrl } from "../config/store-url.ts";
import { makePrivateDirectory } from "../system/files.ts";
import { parseEncryptionConfiguration } from "./encryption.ts";

export interface StoreContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** They end by themselves soon, and would live longer when written again. */
const EVENTS = /^\/registry\/core\/events\//;

/** The file of the embedded store in its directory. */
export const DATA_FILE = "data.mdb";

/** The store itself, with values as they lie on the disk. */
export async function openSealedStore(
  { dataDirectory, etcd }: StoreConfig,
  { clock, logger }: Omit<StoreContext, "random">,
): Promise<Store> {
  if (etcd !== undefined) {
    const { endpoints, prefix } = parseEtcdUrl(etcd.url);
    return openEtcdStore({ endpoints, prefix, tls: tlsOf(etcd), clock, logger });
  }
  makePrivateDirectory(dataDirectory);
  return new LmdbStore({ path: join(dataDirectory, DATA_FILE), clock });
}

/** As its users see it. What other keys, or none, have sealed is written anew before anyone reads. */
export async function openStore(config: StoreConfig & { readonly encryptionConfigFile: string }, context: StoreContext): Promise<Store> {
  const { random, logger } = context;
  const rules = parseEncryptionConfiguration(readFileSync(config.encryptionConfigFile, "utf8"), (count) => random.bytes(count));
  const store = new EncryptingStore(await openSealedStore(config, context), rules);
  const count = await store.rewriteStale((key) => EVENTS.test(key));
  if (count > 0) logger.info("encrypted anew", { values: count });
  return store;
}

function tlsOf({ caFile, certificateFile, privateKeyFile }: EtcdFiles) {
  if (caFile === undefined) return undefined;
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
  return { ca: readFileSync(caFile), cert: read(certificateFile), key: read(privateKeyFile) };
}
