// Puts the HTTP side of the API server together: its endpoints, and what every request goes through before it comes to one.
import { AggregatedEndpoint, type Aggregator, type ProxyCertificate } from "./aggregator/index.ts";
import { Auditor } from "./audit/index.ts";
import { type Authentication, Impersonator, OpenIdEndpoint } from "./authn/index.ts";
import { isReadable } from "./component-status.ts";
import type { ApiServer, ApiServerOptions } from "./create-api-server.ts";
import { DiscoveryEndpoint, type HealthCheck, HealthEndpoint, RootEndpoint, VersionEndpoint } from "./discovery/index.ts";
import type { FlowControl } from "./flow-control/index.ts";
import type { Endpoint } from "./front/exchange.ts";
import { HttpFront } from "./front/http-front.ts";
import { KubeletProxy, type KubeletProxyOptions } from "./front/kubelet-proxy.ts";
import { ProxyEndpoint } from "./front/proxy/proxy-endpoint.ts";
import { ResourceEndpoint } from "./front/resource-endpoint.ts";
import { MetricsEndpoint, RequestMetrics, type ServerMetrics } from "./metrics/index.ts";
import { OpenApiEndpoint } from "./openapi/index.ts";
import { ResourceDispatcher } from "./resource-dispatcher.ts";
import type { ServiceResolver } from "./webhooks/index.ts";

/** Other API servers, and how they are reached. */
export interface Aggregation {
  readonly aggregator: Aggregator;
  readonly resolver: ServiceResolver;
  readonly certificate: ProxyCertificate;
}

export interface FrontParts extends Pick<ApiServer, "core" | "authorizer" | "tokens"> {
  readonly authentication: Authentication;
  readonly aggregation: Aggregation | undefined;
  readonly flowControl: FlowControl;
  readonly serverMetrics: ServerMetrics;
  /** Aborted when the server is about to end. */
  readonly stopping: AbortSignal;
}

/** The HTTP side, ready to listen. */
export function createFront(options: ApiServerOptions, parts: FrontParts): HttpFront {
  const { core, authorizer, authentication } = parts;
  const { catalog, clock, random, logger, tls, metrics } = options;
  const { kubeletTls } = options;
  const admit: KubeletProxyOptions["admit"] = (scope, connection) => core.admitConnection(scope, connection);
  const kubelets = kubeletTls === undefined ? undefined : new KubeletProxy({ handler: core, catalog, authorizer, admit, kubeletTls });
  const proxies =
    kubeletTls === undefined ? undefined : new ProxyEndpoint({ handler: core, catalog, authorizer, admit, random, kubeletTls });
  return new HttpFront({
    tls,
    clock,
    random,
    logger,
    authorizer,
    authenticator: authentication.authenticator,
    frontProxy: options.frontProxy,
    impersonator: new Impersonator(authorizer),
    resources: aggregated(
      new ResourceDispatcher({
        registry: new ResourceEndpoint({ handler: core, catalog, clock, watchObserver: parts.serverMetrics }),
        kubelets,
        proxies,
      }),
      parts,
    ),
    endpoints: createEndpoints(options, parts),
    observer: new RequestMetrics(metrics, clock),
    flowControl: parts.flowControl,
    auditor: options.audit === undefined ? undefined : new Auditor({ ...options.audit, clock }),
  });
}

/** `local`, but for what other API servers serve. */
function aggregated(local: Endpoint, { authorizer, aggregation }: FrontParts): Endpoint {
  return aggregation === undefined ? local : new AggregatedEndpoint({ ...aggregation, local, authorizer });
}

function createEndpoints(options: ApiServerOptions, parts: FrontParts): ReadonlyMap<string, Endpoint> {
  const { catalog, metrics, version, serverAddress, healthChecks = [] } = options;
  const remote = parts.aggregation?.aggregator;
  const discovery = new DiscoveryEndpoint({ catalog, serverAddress: () => serverAddress, remote });
  const openApi = new OpenApiEndpoint({ catalog, version: version.gitVersion, remote });
  const openId = new OpenIdEndpoint(parts.tokens);
  const alive: readonly HealthCheck[] = [
    { name: "ping", check: () => true },
    { name: "etcd", check: () => isReadable(options.store) },
    ...healthChecks,
  ];
  const ready: readonly HealthCheck[] = [...alive, { name: "shutdown", check: () => !parts.stopping.aborted }];
  const endpoints = new Map<string, Endpoint>([
    ["api", discovery],
    ["apis", aggregated(discovery, parts)],
    ["openapi", aggregated(openApi, parts)],
    ["openid", openId],
    [".well-known", openId],
    ["healthz", new HealthEndpoint("healthz", alive)],
    ["livez", new HealthEndpoint("livez", alive)],
    ["readyz", new HealthEndpoint("readyz", ready)],
    ["version", new VersionEndpoint(version)],
    ["metrics", new MetricsEndpoint(metrics)],
  ]);
  const paths = [...endpoints.keys()].map((segment) => `/${segment}`).sort();
  return endpoints.set("", new RootEndpoint(() => paths));
}
