// The aggregation layer at work: registers what the server serves itself, looks after the API servers behind Services, and
// knows which groups and versions they serve. Works in the background; what it knows is answered at once.
import type { ApiHandler, RequestScope, ResourceCatalog, UncheckedObject } from "../../api/index.ts";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import type { APIService } from "../../api/types/apiregistration/v1.ts";
import type { Clock, Logger, Timer } from "../../base/index.ts";
import { type DeepReadonly, isAlreadyExists, isConflict, isNotFound } from "../../machinery/index.ts";
import { loopbackUser } from "../authz/watched-collection.ts";
import type { RemoteDocumentV2 } from "../openapi/index.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import type { ServiceResolver } from "../webhooks/index.ts";
import { isAvailable, localVerdict, withVerdict } from "./availability.ts";
import { planRegistrations } from "./registrations.ts";
import type { RemoteGroupVersion } from "./remote-discovery.ts";
import { type Probe, RemoteProber } from "./remote-prober.ts";
import { type ProxyCertificate, serviceOf } from "./remote-server.ts";

export interface AggregatorOptions {
  readonly handler: ApiHandler;
  readonly catalog: ResourceCatalog;
  readonly cache: WatchCache;
  readonly resolver: ServiceResolver;
  /** The server's certificate as a front proxy. */
  readonly certificate: ProxyCertificate;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An API server behind a Service may go away without a word: it is asked again after this long. */
const RECHECK_MS = 30_000;
const RETRY_MS = 1_000;
const API_SERVICES = "/registry/apiregistration.k8s.io/apiservices/";
const CRDS = "/registry/apiextensions.k8s.io/customresourcedefinitions/";
/** Changes of these may change whether a service can be reached. */
const NETWORK = ["/registry/core/services/", "/registry/discovery.k8s.io/endpointslices/"];

export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #prober: RemoteProber;
  /** By `group/version`: the APIServices with a service behind them. */
  readonly #remote = new Map<string, DeepReadonly<APIService>>();
  /** By the APIService's name: what its server said last. */
  readonly #probes = new Map<string, Probe>();
  #isDirty = false;
  #isWorking = false;
  #timer: Timer | undefined;
  #told = "";
  /** Grows when what is known of other servers changes. */
  version = 0;

  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.#prober = new RemoteProber(options);
  }

  /** Begins to work, until `signal` aborts. */
  start(signal: AbortSignal): void {
    const { cache } = this.#options;
    const isRemote = () => this.#remote.size > 0;
    const stops = [
      cache.of(API_SERVICES).listen(() => this.#wake(signal)),
      cache.of(CRDS).listen(() => this.#wake(signal)),
      ...NETWORK.map((prefix) => cache.of(prefix).listen(() => isRemote() && this.#wake(signal))),
    ];
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      this.#timer?.cancel();
      this.#prober.close();
    });
    this.#wake(signal);
  }

  /** The APIService whose server serves the group and version; undefined when this server does. */
  backend(group: string, version: string): DeepReadonly<APIService> | undefined {
    return this.#remote.size === 0 ? undefined : this.#remote.get(`${group}/${version}`);
  }

  /** What other servers serve, as far as it is known. */
  groupVersions(): readonly RemoteGroupVersion[] {
    return [...this.#remote.values()].map((service) => {
      const {
        group = "",
        version = "",
        groupPriorityMinimum,
        versionPriority,
      } = service.spec ?? { groupPriorityMinimum: 0, versionPriority: 0 };
      const probe = this.#probes.get(service.metadata.name ?? "");
      const freshness = isAvailable(service) ? "Current" : "Stale";
      return { group, version, groupPriorityMinimum, versionPriority, resources: probe?.resources ?? [], freshness };
    });
  }

  /** Where other servers' OpenAPI v3 documents are: `apis/<group>/<version>` → path with the document's hash. */
  openApiPaths(): ReadonlyMap<string, string> {
    const paths = new Map<string, string>();
    for (const [key, { metadata }] of this.#remote) {
      const path = this.#probes.get(metadata.name ?? "")?.openApiPath;
      if (path !== undefined) paths.set(`apis/${key}`, path);
    }
    return paths;
  }

  /** What other servers say in OpenAPI v2, as far as it is known. */
  openApiV2(): readonly RemoteDocumentV2[] {
    return [...this.#remote.values()].flatMap(({ metadata, spec }) => {
      const found = this.#probes.get(metadata.name ?? "")?.openApiV2;
      return found === undefined ? [] : [{ group: spec?.group ?? "", version: spec?.version ?? "", document: found.document }];
    });
  }

  /** Whatever happened, the next round looks at everything; one round at a time. */
  #wake(signal: AbortSignal): void {
    this.#isDirty = true;
    this.#readRemote();
    if (!this.#isWorking) void this.#work(signal);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    this.#isWorking = true;
    this.#timer?.cancel();
    let nextMs = RECHECK_MS;
    // What happens in the same turn is one round.
    await Promise.resolve();
    while (this.#isDirty && !signal.aborted) {
      this.#isDirty = false;
      try {
        await allOf([this.#register(), ...this.#apiServices().map((service) => this.#check(service))]);
      } catch (error) {
        if (!signal.aborted) logger.warn("aggregation failed", { error });
        nextMs = RETRY_MS;
      }
    }
    this.#isWorking = false;
    const mustComeBack = this.#remote.size > 0 || nextMs === RETRY_MS;
    if (mustComeBack && !signal.aborted) this.#timer = clock.setTimeout(() => this.#wake(signal), nextMs);
  }

  #apiServices(): DeepReadonly<APIService>[] {
    return this.#options.cache
      .of(API_SERVICES)
      .entries(API_SERVICES)
      .map(({ object }) => object as unknown as DeepReadonly<APIService>);
  }

  #readRemote(): void {
    this.#remote.clear();
    for (const service of this.#apiServices()) {
      if (serviceOf(service) !== undefined) this.#remote.set(`${service.spec?.group ?? ""}/${service.spec?.version ?? ""}`, service);
    }
    this.#compare();
  }

  /** Documents are made anew only when they would say something else. */
  #compare(): void {
    const documents = [...this.#remote.values()].map(({ metadata }) => this.#probes.get(metadata.name ?? "")?.openApiV2?.hash);
    const told = this.#remote.size === 0 ? "" : JSON.stringify([this.groupVersions(), [...this.openApiPaths()], documents]);
    if (told !== this.#told) this.version++;
    this.#told = told;
  }

  async #register(): Promise<void> {
    const { handler, cache, catalog } = this.#options;
    const crds = cache
      .of(CRDS)
      .entries(CRDS)
      .map(({ object }) => object as unknown as DeepReadonly<CustomResourceDefinition>);
    // Resources of CRDs are in the catalog, too; they are told apart by their group.
    const groups = new Set(crds.map(({ spec }) => spec.group));
    const resources = catalog.all().filter(({ group }) => !groups.has(group));
    const plan = planRegistrations({ resources, crds, existing: this.#apiServices() });
    await allOf([
      ...plan.create.map((service) => tolerant(handler.create(this.#scope(""), unchecked(service), {}))),
      ...plan.update.map((service) => tolerant(handler.update(this.#scope(service.metadata.name), unchecked(service), {}))),
      ...plan.remove.map((name) => tolerant(handler.delete(this.#scope(name), {}))),
    ]);
  }

  async #check(service: DeepReadonly<APIService>): Promise<void> {
    const { clock, handler } = this.#options;
    const name = service.metadata.name ?? "";
    const known = this.#probes.get(name);
    const probe = serviceOf(service) === undefined ? undefined : await this.#prober.probe(service, known);
    if (probe === undefined) this.#probes.delete(name);
    // A server that does not answer is still known by what it said last.
    else this.#probes.set(name, probe.resources === undefined ? { ...known, resources: known?.resources, verdict: probe.verdict } : probe);
    this.#compare();
    const changed = withVerdict(service, probe?.verdict ?? localVerdict, clock.now());
    if (changed !== undefined) await tolerant(handler.update({ ...this.#scope(name), subresource: "status" }, unchecked(changed), {}));
  }

  #scope(name = ""): RequestScope {
    const resource = this.#options.catalog.find("apiregistration.k8s.io", "v1", "apiservices");
    if (resource === undefined) throw new Error("the catalog has no apiservices");
    return { user: loopbackUser, resource, namespace: "", name, subresource: "", fieldManager: "kube-aggregator" };
  }
}

function unchecked(service: APIService): UncheckedObject {
  return service as unknown as UncheckedObject;
}

/** Each gets its chance, whatever becomes of the others; rejects with the first failure. */
async function allOf(works: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) if (result.status === "rejected") throw result.reason;
}

/** Someone else was faster: the event of their change brings the next round. */
async function tolerant(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isAlreadyExists(error) && !isConflict(error) && !isNotFound(error)) throw error;
  }
}
