// Loads the etcd client only when a store is opened by it: it takes a third of a server's start, and most do without.
import type { Store } from "../store.ts";
import type { EtcdStoreOptions } from "./etcd-store.ts";

/** Connects; rejects when no member answers. */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const { EtcdStore } = await import("./etcd-store.ts");
  return EtcdStore.open(options);
}
