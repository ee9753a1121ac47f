// The service proxy: follows Services and EndpointSlices and keeps this node's nftables table equal to them.

import { resources } from "../../api/index.ts";
import type { Pod, Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import { Backoff, type Clock, type Logger } from "../../base/index.ts";
import type { Informer, InformerSource } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, objectKey } from "../../machinery/index.ts";
import { hostPortsOf } from "./host-port.ts";
import { renderChange, renderTable, type TableOptions } from "./nft-script.ts";
import { buildRuleset, EndpointIds, emptyRuleset, type Ruleset } from "./ruleset.ts";
import { type ProxyServicePort, servicePorts } from "./service-port.ts";

/** Runs `nft -f -` with a script, as one transaction; rejects with what nft says. */
export type RunNft = (script: string, signal?: AbortSignal) => Promise<void>;

export interface ServiceProxyOptions extends TableOptions {
  readonly informers: InformerSource;
  readonly nodeName: string;
  readonly runNft: RunNft;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Cluster IPs that a process of this node serves itself (the cluster's DNS). */
  readonly localAddresses?: readonly string[];
}

const SLICES_BY_SERVICE = "service";
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

export class ServiceProxy {
  readonly #options: ServiceProxyOptions;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  /** The ports of each Service by its key, as last computed; a Service's change recomputes only its own. */
  readonly #ports = new Map<string, readonly ProxyServicePort[]>();
  readonly #pods: Informer<Pod>;
  readonly #ids = new EndpointIds();
  /** Services to look at again; a sync is wanted when it is not empty. */
  readonly #dirty = new Set<string>();
  #haveHostPortsChanged = false;
  /** What stands in the kernel. */
  #applied: Ruleset = emptyRuleset();
  #wake: () => void = () => {};

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
    this.#services = options.informers.informer(resources.services);
    this.#slices = options.informers.informer(resources.endpointslices);
    this.#pods = options.informers.informer(resources.pods, { fieldSelector: `spec.nodeName=${options.nodeName}` });
    this.#slices.addIndex(SLICES_BY_SERVICE, (slice) => [serviceKeyOf(slice)]);
  }

  /** Makes the table, then follows changes until the signal aborts. The table stays: traffic goes on without the proxy. */
  async run(signal: AbortSignal): Promise<void> {
    const stopServices = this.#services.onChange(this.#marking((service: DeepReadonly<Service>) => objectKey(service)));
    const stopSlices = this.#slices.onChange(this.#marking(serviceKeyOf));
    const stopPods = this.#pods.onChange(this.#followHostPorts());
    const backoff = new Backoff<"sync">(this.#options.clock, { initialMs: 100, maxMs: 30_000 });
    await this.#options.informers.waitForSync(signal);
    let isTableMade = false;
    while (!signal.aborted) {
      try {
        isTableMade = await this.#sync(isTableMade, signal);
        backoff.reset("sync");
        await this.#nextChange(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.logger.error("programming services failed", { error: String(error) });
        isTableMade = false;
        this.#applied = emptyRuleset();
        await this.#options.clock.sleep(backoff.next("sync"), signal).catch(() => {});
      }
    }
    stopServices();
    stopSlices();
    stopPods();
  }

  #marking<T>(keyOf: (object: T) => string) {
    const mark = (object: T) => {
      this.#dirty.add(keyOf(object));
      this.#wake();
    };
    return { added: mark, updated: (_: T, object: T) => mark(object), deleted: mark };
  }

  /** Few pods have host ports: the others' changes wake nobody. */
  #followHostPorts() {
    const mark = (pod: DeepReadonly<Pod>) => {
      if (hostPortsOf(pod).length === 0) return;
      this.#haveHostPortsChanged = true;
      this.#wake();
    };
    const updated = (old: DeepReadonly<Pod>, pod: DeepReadonly<Pod>) => {
      if (!deepEqual(hostPortsOf(old), hostPortsOf(pod))) {
        this.#haveHostPortsChanged = true;
        this.#wake();
      }
    };
    return { added: mark, updated, deleted: mark };
  }

  async #sync(isTableMade: boolean, signal: AbortSignal): Promise<true> {
    this.#recompute();
    this.#haveHostPortsChanged = false;
    const hostPorts = this.#pods.lister.list().flatMap(hostPortsOf);
    const wanted = buildRuleset({ services: [...this.#ports.values()].flat(), hostPorts }, this.#ids);
    const script = (isTableMade ? "" : renderTable(this.#options)) + renderChange(this.#options, this.#applied, wanted);
    if (script !== "") await this.#options.runNft(script, signal);
    this.#applied = wanted;
    return true;
  }

  #recompute(): void {
    const local = new Set(this.#options.localAddresses);
    for (const key of this.#dirty) {
      const [namespace = "", name = ""] = key.split("/");
      const service = this.#services.lister.get(namespace, name);
      const isLocal = local.has(service?.spec?.clusterIP ?? "");
      if (service === undefined || isLocal) this.#ports.delete(key);
      else this.#ports.set(key, servicePorts(service, this.#slices.lister.byIndex(SLICES_BY_SERVICE, key), this.#options.nodeName));
    }
    this.#dirty.clear();
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    if (this.#dirty.size > 0 || this.#haveHostPortsChanged || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

function serviceKeyOf(slice: DeepReadonly<EndpointSlice>): string {
  return `${slice.metadata.namespace ?? ""}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ""}`;
}
