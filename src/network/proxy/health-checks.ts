// healthCheckNodePort: an HTTP server for each Service that a load balancer asks which nodes have endpoints of it.
// @see kubernetes `pkg/proxy/healthcheck/service_health.go`
import { createServer, type Server } from "node:http";
import type { Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { Logger } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { familyOf } from "../ip-family.ts";
import { type NodePlace, reachableEndpoints } from "./endpoints.ts";

export interface ServiceHealth {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly localEndpoints: number;
}

/** What a load balancer asks for; undefined when the Service has no port for it. */
export function serviceHealth(
  service: DeepReadonly<Service> | undefined,
  slices: readonly DeepReadonly<EndpointSlice>[],
  place: NodePlace,
): ServiceHealth | undefined {
  const { spec, metadata } = service ?? {};
  const port = spec?.healthCheckNodePort ?? 0;
  if (port === 0 || spec?.type !== "LoadBalancer" || spec.externalTrafficPolicy !== "Local") return undefined;
  const own = slices.filter(({ addressType }) => addressType === familyOf(spec.clusterIP ?? "").name);
  const { local } = reachableEndpoints(own, spec.ports?.[0]?.name ?? "", place);
  return { namespace: metadata?.namespace ?? "", name: metadata?.name ?? "", port, localEndpoints: local.length };
}

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function healthAnswer({ namespace, name, localEndpoints }: ServiceHealth): HealthAnswer {
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true };
  return {
    status: localEndpoints > 0 ? 200 : 503,
    headers: {
      "Content-Type": "application/json",
      "X-Content-Type-Options": "nosniff",
      "X-Load-Balancing-Endpoint-Weight": String(localEndpoints),
    },
    body: JSON.stringify(body),
  };
}

interface Listening {
  readonly server: Server;
  health: ServiceHealth;
}

export class HealthChecks {
  readonly #logger: Logger;
  readonly #byService = new Map<string, Listening>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Answers for the Service `key` from now on with `health`; no longer at all when there is none. */
  set(key: string, health: ServiceHealth | undefined): void {
    const listening = this.#byService.get(key);
    if (listening !== undefined && listening.health.port === health?.port) {
      listening.health = health;
      return;
    }
    listening?.server.close();
    this.#byService.delete(key);
    if (health !== undefined) this.#byService.set(key, this.#listen(health));
  }

  close(): void {
    for (const { server } of this.#byService.values()) server.close();
    this.#byService.clear();
  }

  #listen(health: ServiceHealth): Listening {
    const server = createServer((_, response) => {
      const { status, headers, body } = healthAnswer(listening.health);
      response.writeHead(status, headers).end(body);
    });
    const listening: Listening = { server, health };
    server.on("error", (error) =>
      this.#logger.error("the port of a Service's health check cannot be opened", { port: health.port, error: error.message }),
    );
    server.listen(health.port);
    return listening;
  }
}
