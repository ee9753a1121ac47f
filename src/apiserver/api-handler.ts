// The API server without HTTP: authorises every call and hands it to the registry.
import type {
  ApiHandler,
  GrowingCatalog,
  GuardedHandler,
  ListOptions,
  PatchOptions,
  ReadOptions,
  RequestScope,
  Stored,
  StoredList,
  StoredWatchEvent,
  UncheckedObject,
  WatchOptions,
  WriteOptions,
} from "../api/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import { copyJson, type DeleteOptions, internalError, StatusError, statusError } from "../machinery/index.ts";
import { type Store, StoreClosedError, StoreFullError, StoreUnavailableError } from "../storage/index.ts";
import type { AdmissionPlugin } from "./admission/admission.ts";
import { AdmissionChain } from "./admission/admission-chain.ts";
import { builtInPlugins } from "./admission/index.ts";
import { apiVersionOf, kindOfRequest } from "./admission/matching/request-identity.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import type { SelectorTexts } from "./authz/request-selectors.ts";
import { CustomResources, DEFINITIONS_PREFIX } from "./crd/index.ts";
import { type AdvertisedAddress, bootstrap } from "./registry/bootstrap.ts";
import { ComputedResources, type ComputedSource, getComputed, listComputed } from "./registry/computed.ts";
import { createObject } from "./registry/create-path.ts";
import { type Deletion, deleteCollection, deleteObject } from "./registry/delete-path.ts";
import type { Draft } from "./registry/draft.ts";
import { patchObject } from "./registry/patch-path.ts";
import { getObject, listObjects } from "./registry/read-path.ts";
import { nameSelectedBy } from "./registry/selection.ts";
import { authorize, type ServerContext } from "./registry/server-context.ts";
import { IpRange } from "./registry/services/ip-range.ts";
import { type PortRange, ServiceGuard } from "./registry/services/service-guard.ts";
import { ServiceRanges } from "./registry/services/service-ranges.ts";
import type { TokenReviewer } from "./registry/subresources/reviews.ts";
import { answer, type Projection } from "./registry/subresources/subresource.ts";
import { SubresourceTable } from "./registry/subresources/subresource-table.ts";
import type { TokenIssuer } from "./registry/subresources/token.ts";
import { updateObject, updateProjected } from "./registry/update-path.ts";
import { watchObjects } from "./registry/watch-path.ts";
import type { CacheEntry } from "./watch-cache/cache-entry.ts";
import type { EventWindowOptions } from "./watch-cache/event-window.ts";
import { WatchCache } from "./watch-cache/watch-cache.ts";
import { EndpointServiceResolver, type ServiceResolver, WebhookClient } from "./webhooks/index.ts";

export interface ApiServerCoreOptions {
  readonly store: Store;
  /** Custom resources are added to it as their definitions come. */
  readonly catalog: GrowingCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A function when it reads from this very core; it must not call the core before `start`. */
  readonly authorizer: Authorizer | ((core: ApiHandler) => Authorizer);
  /** Run behind the built-in plugins. */
  readonly admission?: readonly AdmissionPlugin[];
  /** Addresses of services. Default `10.96.0.0/12`. */
  readonly serviceCidr?: string;
  /** Default 30000–32767. */
  readonly nodePortRange?: PortRange;
  /** Where this server is reached: the endpoint of the `kubernetes` service. Absent: no such service is made. */
  readonly advertised?: AdvertisedAddress;
  /** Default: by the cluster's own Services and EndpointSlices. */
  readonly serviceResolver?: ServiceResolver;
  /** Resources that are not stored, by `group/plural`; the sources read from this very core. */
  readonly computed?: (core: ApiHandler) => ReadonlyMap<string, ComputedSource>;
  readonly tokenIssuer?: TokenIssuer;
  readonly reviewToken?: TokenReviewer;
  /** Freezes objects with all they hold: for tests, so that a mutation throws. */
  readonly deepFreezes?: boolean;
  /** How many recent events each resource keeps for watches. */
  readonly watchWindow?: Partial<EventWindowOptions>;
}

const SERVICES_PREFIX = "/registry/core/services/";
const SERVICE_CIDRS_PREFIX = "/registry/networking.k8s.io/servicecidrs/";

export class ApiServerCore implements GuardedHandler {
  readonly #context: ServerContext;
  readonly #subresources: SubresourceTable;
  readonly #computed: ComputedResources;
  readonly #custom: CustomResources;
  readonly #services: ServiceGuard;
  readonly #ranges: ServiceRanges;
  readonly #serviceRanges: readonly [IpRange, ...IpRange[]];
  readonly #advertised: AdvertisedAddress | undefined;
  /** Finds the servers behind Services, for what the API server itself calls. */
  readonly serviceResolver: ServiceResolver;
  /** Calls admission and conversion webhooks. */
  readonly webhooks: WebhookClient;

  constructor(options: ApiServerCoreOptions) {
    const { store, catalog, clock, random, logger, deepFreezes, watchWindow, tokenIssuer, reviewToken } = options;
    const cache = new WatchCache({ store, clock, logger, deepFreezes, window: watchWindow });
    const authorizer = typeof options.authorizer === "function" ? options.authorizer(this) : options.authorizer;
    this.serviceResolver = options.serviceResolver ?? new EndpointServiceResolver({ cache, random });
    this.webhooks = new WebhookClient({ resolver: this.serviceResolver, clock });
    const tools = { cache, store, clock, random, catalog, authorizer, webhooks: this.webhooks };
    const admission = new AdmissionChain([...builtInPlugins(tools), ...(options.admission ?? [])]);
    this.#computed = new ComputedResources(options.computed?.(this) ?? new Map());
    this.#custom = new CustomResources({ catalog, random, logger, webhooks: this.webhooks });
    this.#serviceRanges = serviceRanges(options.serviceCidr ?? "10.96.0.0/12");
    const portRange = options.nodePortRange ?? { first: 30000, last: 32767 };
    this.#ranges = new ServiceRanges(this.#serviceRanges);
    this.#services = new ServiceGuard({ random, ranges: this.#ranges, portRange });
    this.#subresources = new SubresourceTable({ authorizer, tokenIssuer, reviewToken });
    this.#advertised = options.advertised;
    const guards = new Map([["/services", this.#services]]);
    this.#context = { store, cache, catalog, clock, random, logger, authorizer, admission, guards };
  }

  /** What is stored, in memory: for authorisers and the like that must answer at once. */
  get cache(): WatchCache {
    return this.#context.cache;
  }

  /** Loads what is stored and makes what every cluster has; works until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const { cache } = this.#context;
    await cache.start(signal);
    signal.addEventListener("abort", () => this.webhooks.close(), { once: true });
    this.#services.follow(cache.of(SERVICES_PREFIX), SERVICES_PREFIX);
    this.#ranges.follow(cache.of(SERVICE_CIDRS_PREFIX), SERVICE_CIDRS_PREFIX);
    this.#custom.follow(cache.of(DEFINITIONS_PREFIX));
    await bootstrap(this.#context, {
      serviceIp: this.#serviceRanges[0].at(0),
      serviceCidrs: this.#serviceRanges.map(({ cidr }) => cidr),
      advertised: this.#advertised,
    });
  }

  get(scope: RequestScope, options: ReadOptions): Promise<Stored> {
    return this.#run(scope, "get", async () => {
      const computed = this.#computed.of(scope.resource);
      if (computed !== undefined) return getComputed(computed, scope);
      return this.#projected(scope, await getObject(this.#context, scope, options));
    });
  }

  list(scope: RequestScope, options: ListOptions): Promise<StoredList> {
    const work = () => {
      const computed = this.#computed.of(scope.resource);
      return computed === undefined ? listObjects(this.#context, scope, options) : listComputed(computed, scope, options);
    };
    return this.#run(named(scope, options), "list", work, options);
  }

  watch(scope: RequestScope, options: WatchOptions): Promise<AsyncIterable<readonly StoredWatchEvent[]>> {
    return this.#run(named(scope, options), "watch", () => watchObjects(this.#context, scope, options), options);
  }

  create(scope: RequestScope, object: UncheckedObject, options: WriteOptions): Promise<Stored> {
    return this.#run(scope, "create", async () => {
      const creator = this.#subresources.creator(scope);
      if (creator === undefined && scope.subresource !== "") throw notAllowed("create", scope);
      if (creator === undefined) return createObject(this.#context, scope, object, options);
      const kind = kindOfRequest(scope);
      const body = copyJson(object as unknown as Draft);
      const draft = { ...body, metadata: body.metadata ?? {}, kind: kind.kind, apiVersion: apiVersionOf(kind) };
      const request = { operation: "CREATE", scope, object: draft, old: undefined, isDryRun: options.dryRun === true } as const;
      await this.#context.admission.mutate(request);
      await this.#context.admission.validate(request);
      return creator(this.#context, scope, draft as UncheckedObject, options);
    });
  }

  update(scope: RequestScope, object: UncheckedObject, options: WriteOptions): Promise<{ stored: Stored; created: boolean }> {
    return this.#run(scope, "update", async () => {
      const projection = this.#subresources.projection(scope);
      if (projection === undefined) return updateObject(this.#context, scope, object, options);
      const stored = await updateProjected(this.#context, scope, { body: object, projection }, options);
      return { stored: this.#projected(scope, stored), created: false };
    });
  }

  patch(scope: RequestScope, patch: unknown, options: PatchOptions): Promise<{ stored: Stored; created: boolean }> {
    return this.#run(scope, "patch", async () => {
      const projection: Projection | undefined = this.#subresources.projection(scope);
      const { stored, created } = await patchObject(this.#context, scope, patch, { options, projection });
      return { stored: this.#projected(scope, stored), created };
    });
  }

  delete(scope: RequestScope, options: DeleteOptions): Promise<Deletion> {
    return this.#run(scope, "delete", () => deleteObject(this.#context, scope, options));
  }

  deleteCollection(scope: RequestScope, options: DeleteOptions, selection: ListOptions): Promise<StoredList> {
    return this.#run(scope, "deletecollection", () => deleteCollection(this.#context, scope, options, selection), selection);
  }

  /** Asks admission about a connection (exec, port-forward, proxy), which someone else authorises and makes. */
  async admitConnection(scope: RequestScope, options: Readonly<Record<string, unknown>>): Promise<void> {
    const object = options as unknown as Draft;
    const request = { operation: "CONNECT", scope, object, old: undefined, isDryRun: false } as const;
    await this.#context.admission.mutate(request);
    await this.#context.admission.validate(request);
  }

  #projected(scope: RequestScope, stored: Stored): Stored {
    const projection = scope.subresource === "" ? undefined : this.#subresources.projection(scope);
    return projection === undefined ? stored : answer(projection.show(scope, stored as CacheEntry));
  }

  authorize(scope: RequestScope, verb: string, selection?: SelectorTexts): void | Promise<void> {
    return authorize(this.#context, scope, verb, selection);
  }

  /** Authorises, works, and lets nothing but StatusErrors out. */
  async #run<T>(scope: RequestScope, verb: string, work: () => Promise<T>, selection?: SelectorTexts): Promise<T> {
    try {
      const authorized = scope.authorizedFor === verb ? undefined : this.authorize(scope, verb, selection);
      if (authorized !== undefined) await authorized;
      return await work();
    } catch (error) {
      throw error instanceof StatusError ? error : this.#statusOf(error, scope, verb);
    }
  }

  #statusOf(error: unknown, scope: RequestScope, verb: string): StatusError {
    if (scope.signal?.aborted === true) return statusError("Timeout", "the request was given up", undefined, { cause: error });
    if (error instanceof StoreClosedError)
      return statusError("ServiceUnavailable", "apiserver is shutting down", undefined, { cause: error });
    if (error instanceof StoreFullError) return statusError("InternalError", error.message, undefined, { cause: error });
    if (error instanceof StoreUnavailableError) return statusError("ServiceUnavailable", error.message, undefined, { cause: error });
    this.#context.logger.error("a request failed", { verb, resource: scope.resource.resource, error });
    return internalError(error);
  }
}

/** A list or watch of one object is authorised as one of that name. */
function named(scope: RequestScope, { fieldSelector = "" }: ListOptions | WatchOptions): RequestScope {
  const name = nameSelectedBy(fieldSelector);
  return name === undefined ? scope : { ...scope, name };
}

function notAllowed(verb: string, { resource, subresource }: RequestScope): StatusError {
  return statusError("MethodNotAllowed", `${verb} is not supported on resources of kind "${resource.resource}/${subresource}"`);
}

/** A range, or one for each IP family, separated by a comma. */
function serviceRanges(cidrs: string): [IpRange, ...IpRange[]] {
  const [first = "", ...others] = cidrs.split(",").map((cidr) => cidr.trim());
  return [new IpRange(first), ...others.map((cidr) => new IpRange(cidr))];
}
