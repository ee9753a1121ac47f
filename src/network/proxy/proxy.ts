// The service proxy: follows Services, EndpointSlices and host ports and keeps this node's nftables tables equal to them.
import { resources } from "../../api/index.ts";
import type { Node, Pod, Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { Informer, InformerSource } from "../../client/index.ts";
import { type DeepReadonly, objectKey } from "../../machinery/index.ts";
import type { RunNft } from "../nft/elements.ts";
import { SyncLoop } from "../sync-loop.ts";
import type { NodePlace } from "./endpoints.ts";
import { FamilyRules } from "./family-rules.ts";
import { type ServiceHealth, serviceHealth } from "./health-checks.ts";
import type { TableOptions } from "./table-script.ts";
import { staleFlows, type UdpFlows } from "./udp-flows.ts";

export interface ServiceProxyOptions {
  readonly informers: InformerSource;
  readonly nodeName: string;
  /** A table for each IP family that the cluster has. */
  readonly tables: readonly TableOptions[];
  readonly runNft: RunNft;
  readonly udpFlows: UdpFlows;
  readonly healthChecks: { set(key: string, health: ServiceHealth | undefined): void };
  readonly clock: Clock;
  readonly logger: Logger;
  /** Cluster IPs that a process of this node serves itself (the cluster's DNS). */
  readonly localAddresses?: readonly string[];
}

const SLICES_BY_SERVICE = "service";
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const ZONE_LABEL = "topology.kubernetes.io/zone";

export class ServiceProxy {
  readonly #options: ServiceProxyOptions;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #families: readonly FamilyRules[];
  readonly #localAddresses: ReadonlySet<string>;
  /** Objects to look at again, by their keys; a sync is wanted when one is there. */
  readonly #dirtyServices = new Set<string>();
  readonly #dirtyPods = new Set<string>();
  readonly #loop: SyncLoop;
  #zone = "";

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
    const { clock, logger } = options;
    this.#loop = new SyncLoop({
      clock,
      logger,
      failure: "programming services failed",
      onFailure: () => {
        for (const family of this.#families) family.startOver();
      },
    });
    this.#families = options.tables.map((table) => new FamilyRules(table));
    this.#localAddresses = new Set(options.localAddresses);
    this.#services = options.informers.informer(resources.services);
    this.#slices = options.informers.informer(resources.endpointslices);
    this.#pods = options.informers.informer(resources.pods, { fieldSelector: `spec.nodeName=${options.nodeName}` });
    this.#nodes = options.informers.informer(resources.nodes);
    this.#slices.addIndex(SLICES_BY_SERVICE, (slice) => [serviceKeyOf(slice)]);
  }

  /** Makes the tables, then follows changes until the signal aborts. The tables stay: traffic goes on without the proxy. */
  async run(signal: AbortSignal): Promise<void> {
    const stops = this.#follow();
    await this.#options.informers.waitForSync(signal);
    await this.#loop.run((during) => this.#sync(during), signal);
    for (const stop of stops) stop();
  }

  #follow(): (() => void)[] {
    const markPod = (pod: DeepReadonly<Pod>) => this.#mark(this.#dirtyPods, objectKey(pod));
    return [
      this.#services.onChange(onAny((service) => this.#mark(this.#dirtyServices, objectKey(service)))),
      this.#slices.onChange(onAny((slice) => this.#mark(this.#dirtyServices, serviceKeyOf(slice)))),
      // Few pods have host ports: the others' changes wake nobody.
      this.#pods.onChange(onAny((pod) => hasHostPorts(pod) && markPod(pod))),
      this.#nodes.onChange(onAny((node) => this.#seeNode(node))),
    ];
  }

  /** Another zone changes what every Service with hints leads to. */
  #seeNode({ metadata }: DeepReadonly<Node>): void {
    const zone = metadata.labels?.[ZONE_LABEL] ?? "";
    if (metadata.name !== this.#options.nodeName || zone === this.#zone) return;
    this.#zone = zone;
    for (const service of this.#services.lister.list()) this.#mark(this.#dirtyServices, objectKey(service));
  }

  #mark(dirty: Set<string>, key: string): void {
    dirty.add(key);
    this.#loop.wake();
  }

  async #sync(signal: AbortSignal): Promise<void> {
    for (const key of this.#dirtyServices) this.#lookAtService(key);
    this.#dirtyServices.clear();
    for (const key of this.#dirtyPods) {
      const [namespace = "", name = ""] = key.split("/");
      for (const family of this.#families) family.setPod(key, this.#pods.lister.get(namespace, name));
    }
    this.#dirtyPods.clear();
    const script = this.#families.map((family) => family.takeScript()).join("");
    if (script !== "") await this.#options.runNft(script, signal);
    await this.#forgetStaleFlows(signal);
  }

  #lookAtService(key: string): void {
    const [namespace = "", name = ""] = key.split("/");
    const service = this.#services.lister.get(namespace, name);
    const slices = this.#slices.lister.byIndex(SLICES_BY_SERVICE, key);
    const place: NodePlace = { nodeName: this.#options.nodeName, zone: this.#zone };
    const isOurs = service !== undefined && !this.#localAddresses.has(service.spec?.clusterIP ?? "");
    for (const family of this.#families) family.setService(key, isOurs ? service : undefined, slices, place);
    this.#options.healthChecks.set(key, serviceHealth(service, slices, place));
  }

  /** A trouble here is told and no more: the rules stand. */
  async #forgetStaleFlows(signal: AbortSignal): Promise<void> {
    const { udpFlows, logger } = this.#options;
    const frontends = this.#families.flatMap((family) => family.takeUdp());
    if (frontends.length === 0) return;
    try {
      for (const flow of staleFlows(await udpFlows.list(signal), frontends)) await udpFlows.remove(flow, signal);
    } catch (error) {
      if (!signal.aborted) logger.warn("UDP flows to former endpoints cannot be ended", { error: String(error) });
    }
  }
}

function onAny<T>(see: (object: T) => unknown): {
  added: (object: T) => void;
  updated: (old: T, object: T) => void;
  deleted: (object: T) => void;
} {
  return {
    added: see,
    updated: (old, object) => {
      see(old);
      see(object);
    },
    deleted: see,
  };
}

function hasHostPorts({ spec }: DeepReadonly<Pod>): boolean {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(({ ports = [] }) =>
    ports.some(({ hostPort = 0 }) => hostPort !== 0),
  );
}

function serviceKeyOf(slice: DeepReadonly<EndpointSlice>): string {
  return `${slice.metadata.namespace ?? ""}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ""}`;
}
