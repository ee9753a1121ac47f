// Puts the API server together: the core, who may do what, who is who, and the HTTP side.
import type { Registry } from "prom-client";
import type { ApiHandler, GrowingCatalog, Resource, ResourceCatalog } from "../api/index.ts";
import type { PodCertificateRequest } from "../api/types/certificates/v1.ts";
import type { PersistentVolume, Pod } from "../api/types/core/v1.ts";
import type { ResourceSlice } from "../api/types/resource/v1.ts";
import type { VolumeAttachment } from "../api/types/storage/v1.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject } from "../machinery/index.ts";
import type { Store } from "../storage/index.ts";
import { Aggregator, type ProxyCertificate, publishAuthenticationInfo } from "./aggregator/index.ts";
import { ApiServerCore, type ApiServerCoreOptions } from "./api-handler.ts";
import type { AuditorOptions } from "./audit/index.ts";
import {
  type AuthenticationConfig,
  announceTokenTracking,
  createAuthentication,
  type FrontProxyOptions,
  InvalidTokenError,
  LegacyServiceAccountTokens,
  type ObjectLookup,
  ServiceAccountTokens,
  type StaticToken,
} from "./authn/index.ts";
import {
  type Authorizer,
  type AuthorizerConfig,
  bootstrapRbac,
  createAuthorizers,
  defaultAuthorizers,
  EscalationCheck,
  EscalationPlugin,
  loopbackUser,
  NodeAuthorizer,
  RbacAuthorizer,
  UnionAuthorizer,
  WatchedCollection,
  type WatchedCollectionOptions,
  WatchedRbacSource,
} from "./authz/index.ts";
import { componentStatuses } from "./component-status.ts";
import { type Aggregation, createFront } from "./create-front.ts";
import type { HealthCheck, VersionInfo } from "./discovery/index.ts";
import { FlowControl, FlowMetrics, followFlowConfiguration, type ResourceSize } from "./flow-control/index.ts";
import type { HttpFront, TlsOptions } from "./front/http-front.ts";
import type { KubeletProxyOptions } from "./front/kubelet-proxy.ts";
import { ServerMetrics } from "./metrics/index.ts";
import { KubeletUsageSource, metricsApi } from "./metrics-api/index.ts";
import { cacheOf } from "./registry/server-context.ts";
import type { WatchCache } from "./watch-cache/watch-cache.ts";
import { EndpointServiceResolver } from "./webhooks/index.ts";

export interface ApiServerOptions {
  readonly store: Store;
  readonly catalog: GrowingCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly tls: TlsOptions;
  readonly version: VersionInfo;
  /** `host:port` under which clients reach the server, for discovery. */
  readonly serverAddress: string;
  readonly serviceAccounts: {
    /** PEM of an RSA or P-256 private key. */
    readonly signingKey: string | Buffer;
    /** Default `https://kubernetes.default.svc.cluster.local`. */
    readonly issuer?: string;
  };
  readonly staticTokens?: readonly StaticToken[];
  readonly authentication?: AuthenticationConfig;
  /** Whom to ask, in this order. Default: Node, then RBAC. */
  readonly authorizers?: readonly AuthorizerConfig[];
  readonly frontProxy?: FrontProxyOptions;
  /** The certificate by which aggregated API servers know this one. Absent: there is no aggregation. */
  readonly frontProxyClient?: ProxyCertificate;
  /** Absent: no exec, logs or port-forward. */
  readonly kubeletTls?: KubeletProxyOptions["kubeletTls"];
  /** What is recorded of requests, and where. Absent: nothing. */
  readonly audit?: Pick<AuditorOptions, "policy" | "sinks">;
  readonly metrics: Registry;
  /** Besides those of the server itself. */
  readonly healthChecks?: readonly HealthCheck[];
  /** Further options of the core: service range, admission plugins, advertised address. */
  readonly core?: Partial<Omit<ApiServerCoreOptions, "store" | "catalog" | "clock" | "random" | "logger" | "authorizer">>;
}

export interface ApiServer {
  readonly core: ApiServerCore;
  readonly front: HttpFront;
  readonly authorizer: Authorizer;
  readonly tokens: ServiceAccountTokens;
  /** Those that secrets hold. */
  readonly secretTokens: LegacyServiceAccountTokens;
  /** Whom to believe, and whom to ask, from now on: as when their configuration has changed. */
  setAuthentication(config: AuthenticationConfig): void;
  setAuthorizers(configs: readonly AuthorizerConfig[]): void;
}

const DEFAULT_ISSUER = "https://kubernetes.default.svc.cluster.local";

/** A server that is ready to listen (`front.listen`); everything but the front stops when `signal` aborts. */
export async function createApiServer(options: ApiServerOptions, signal: AbortSignal): Promise<ApiServer> {
  const { catalog, clock, logger, random } = options;
  // RBAC reads its roles through the core, which needs the authorizer: it joins when the core is there.
  const authorizer = new UnionAuthorizer([]);
  const handler: WatchedCollectionOptions["handler"] = {
    list: (...call) => core.list(...call),
    watch: (...call) => core.watch(...call),
  };
  const source = new WatchedRbacSource({ handler, catalog, clock, logger });
  const nodes = nodeGraph({ handler, clock, logger }, catalog);
  const rbac = new RbacAuthorizer(source);
  const node = new NodeAuthorizer(nodes);
  const setAuthorizers = (configs: readonly AuthorizerConfig[]) =>
    authorizer.setMembers(createAuthorizers(configs, { node, rbac, clock, logger }));
  setAuthorizers(options.authorizers ?? defaultAuthorizers);
  const lookup: ObjectLookup = (plural, namespace, name) => objectOf(core, catalog, { plural, namespace, name });
  const tokens = new ServiceAccountTokens({
    signingKey: options.serviceAccounts.signingKey,
    issuer: options.serviceAccounts.issuer ?? DEFAULT_ISSUER,
    clock,
    random,
    lookup,
  });
  const secretTokens = new LegacyServiceAccountTokens({
    signingKey: options.serviceAccounts.signingKey,
    apiAudiences: tokens.defaultAudiences,
    lookup,
    labelSecret: (secret, labels) => labelSecret(core, catalog, { secret, labels }),
    clock,
    logger,
  });
  const authentication = createAuthentication({
    config: options.authentication ?? {},
    serviceAccounts: tokens,
    secretTokens,
    staticTokens: options.staticTokens ?? [],
    lookup,
    clock,
    logger,
  });
  const core: ApiServerCore = new ApiServerCore({
    ...options.core,
    store: options.store,
    catalog,
    clock,
    random,
    logger,
    authorizer,
    tokenIssuer: tokens,
    computed: options.core?.computed ?? ((handler) => computedResources(options, handler)),
    reviewToken: (token, audiences) => authentication.tokens.authenticate(token, audiences).catch(problemOf),
    admission: [...(options.core?.admission ?? []), new EscalationPlugin(new EscalationCheck(rbac, authorizer))],
  });
  await core.start(signal);
  await bootstrapRbac(core, catalog);
  await announceTokenTracking(core, catalog, clock);
  await Promise.all([source, ...Object.values(nodes)].map((part) => part.start(signal)));
  const aggregation = await startAggregation(options, core, signal);
  const flowControl: FlowControl = new FlowControl({
    clock,
    observer: new FlowMetrics(options.metrics, () => flowControl),
    sizeOf: ({ group, version, resource }) => sizeOf(core.cache, catalog.find(group, version, resource)),
  });
  followFlowConfiguration({ handler: core, catalog, cache: core.cache, flowControl, clock, logger }, signal);
  const serverMetrics = new ServerMetrics(options.metrics, { catalog, cache: core.cache, store: options.store });
  const front = createFront(options, {
    core,
    authorizer,
    tokens,
    authentication,
    aggregation,
    flowControl,
    serverMetrics,
    stopping: signal,
  });
  const setAuthentication = authentication.configure;
  return { core, front, authorizer, tokens, secretTokens, setAuthentication, setAuthorizers };
}

/** How much is stored of a resource of this server. */
function sizeOf(cache: WatchCache, resource: Resource | undefined): ResourceSize | undefined {
  if (resource === undefined) return undefined;
  const { size, bytes } = cacheOf({ cache }, resource);
  return { objects: size, bytes };
}

/** What is not stored: how the control plane is, and the usage of nodes and pods where kubelets can be asked. */
function computedResources({ kubeletTls, catalog, clock, logger, store }: ApiServerOptions, handler: ApiHandler) {
  const components = ["/componentstatuses", componentStatuses(store)] as const;
  if (kubeletTls === undefined) return new Map([components]);
  const source = new KubeletUsageSource({ handler, catalog, clock, kubeletTls });
  return new Map([components, ...metricsApi({ handler, catalog, source, clock, logger })]);
}

function nodeGraph(options: Omit<WatchedCollectionOptions, "resource">, catalog: ResourceCatalog) {
  const collection = <T>(group: string, plural: string) => {
    const resource = catalog.find(group, "v1", plural);
    if (resource === undefined) throw new Error(`the catalog has no ${plural}`);
    return new WatchedCollection<T>({ ...options, resource });
  };
  return {
    pods: collection<DeepReadonly<Pod>>("", "pods"),
    persistentVolumes: collection<DeepReadonly<PersistentVolume>>("", "persistentvolumes"),
    volumeAttachments: collection<DeepReadonly<VolumeAttachment>>("storage.k8s.io", "volumeattachments"),
    resourceSlices: collection<DeepReadonly<ResourceSlice>>("resource.k8s.io", "resourceslices"),
    podCertificateRequests: collection<DeepReadonly<PodCertificateRequest>>("certificates.k8s.io", "podcertificaterequests"),
  };
}

async function startAggregation(options: ApiServerOptions, core: ApiServerCore, signal: AbortSignal): Promise<Aggregation | undefined> {
  const { catalog, clock, logger, random, tls, frontProxy, frontProxyClient: certificate } = options;
  if (frontProxy !== undefined) await publishAuthenticationInfo(core, catalog, { clientCa: tls.clientCa, frontProxy });
  if (certificate === undefined) return undefined;
  const resolver = new EndpointServiceResolver({ cache: core.cache, random });
  const aggregator = new Aggregator({ handler: core, catalog, cache: core.cache, resolver, certificate, clock, logger });
  aggregator.start(signal);
  return { aggregator, resolver, certificate };
}

/** What was wrong with a token, for its review. */
function problemOf(error: unknown): { problem: string } {
  if (error instanceof InvalidTokenError) return { problem: error.message };
  throw error;
}

async function labelSecret(
  core: ApiServerCore,
  catalog: ResourceCatalog,
  { secret, labels }: { readonly secret: DeepReadonly<KubeObject>; readonly labels: Readonly<Record<string, string>> },
): Promise<void> {
  const resource = catalog.find("", "v1", "secrets");
  if (resource === undefined) return;
  const { name = "", namespace = "", uid } = secret.metadata;
  const scope = { user: loopbackUser, resource, namespace, name, subresource: "" };
  await core.patch(scope, { metadata: { uid, labels } }, { type: "application/merge-patch+json" });
}

async function objectOf(
  core: ApiServerCore,
  catalog: ResourceCatalog,
  { plural, namespace, name }: { plural: string; namespace: string; name: string },
): Promise<DeepReadonly<KubeObject> | undefined> {
  const resource = catalog.find("", "v1", plural);
  if (resource === undefined) return undefined;
  try {
    return (await core.get({ user: loopbackUser, resource, namespace, name, subresource: "" }, {})).object;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
