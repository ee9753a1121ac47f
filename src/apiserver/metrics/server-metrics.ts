// What is stored and what is sent to watchers, in upstream's metrics. Made when metrics are read: before, it costs an addition.
import { Counter, Gauge, type Registry } from "prom-client";
import type { Resource, ResourceCatalog } from "../../api/index.ts";
import type { Store } from "../../storage/index.ts";
import { resourcePrefix } from "../registry/key.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";

export interface ServerMetricsSource {
  readonly catalog: ResourceCatalog;
  readonly cache: WatchCache;
  readonly store: Pick<Store, "sizeBytes">;
}

/** Hears of events that were sent to watchers. */
export interface WatchObserver {
  sent(resource: Resource, count: number): void;
}

export class ServerMetrics implements WatchObserver {
  /** Events sent since metrics were read, by resource. */
  readonly #sent = new Map<Resource, number>();

  constructor(registry: Registry, source: ServerMetricsSource) {
    const registers = [registry];
    this.#countWatchEvents(registers);
    measureStorage(registers, source);
  }

  sent(resource: Resource, count: number): void {
    this.#sent.set(resource, (this.#sent.get(resource) ?? 0) + count);
  }

  #countWatchEvents(registers: Registry[]): void {
    const sent = this.#sent;
    new Counter({
      name: "apiserver_watch_events_total",
      help: "Events sent to watchers",
      labelNames: ["group", "version", "resource"],
      registers,
      collect() {
        for (const [{ group, version, resource }, count] of sent) this.inc({ group, version, resource }, count);
        sent.clear();
      },
    });
  }
}

function measureStorage(registers: Registry[], { catalog, cache, store }: ServerMetricsSource): void {
  const stored = () => catalog.all().filter(({ storedAs }) => storedAs?.resource === undefined);
  const objects = (name: string, labelNames: readonly string[], labels: (resource: Resource) => Record<string, string>) =>
    new Gauge({
      name,
      help: "Stored objects by resource",
      labelNames: [...labelNames],
      registers,
      collect() {
        for (const resource of stored()) this.set(labels(resource), cache.of(resourcePrefix(resource)).size);
      },
    });
  objects("apiserver_storage_objects", ["resource"], ({ group, resource }) => ({
    resource: group === "" ? resource : `${resource}.${group}`,
  }));
  objects("apiserver_resource_objects", ["group", "resource"], ({ group, resource }) => ({ group, resource }));
  new Gauge({
    name: "apiserver_storage_size_bytes",
    help: "Bytes of the store on disk",
    labelNames: ["storage_cluster_id"],
    registers,
    async collect() {
      this.set({ storage_cluster_id: "etcd-0" }, await store.sizeBytes());
    },
  });
}
