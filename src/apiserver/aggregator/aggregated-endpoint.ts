// Requests for groups that another API server serves go there; all others go where they would go without.
import type { APIService } from "../../api/types/apiregistration/v1.ts";
import { type DeepReadonly, StatusError } from "../../machinery/index.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import { authorizeRequest } from "../front/admit-connection.ts";
import type { Endpoint, Exchange } from "../front/exchange.ts";
import { forward } from "../front/forward.ts";
import { writeBody } from "../front/respond.ts";
import type { Address, ServiceResolver } from "../webhooks/index.ts";
import type { Aggregator } from "./aggregator.ts";
import { isAvailable } from "./availability.ts";
import { type ProxyCertificate, serviceOf, tlsTo, userHeaders } from "./remote-server.ts";

export interface AggregatedEndpointOptions {
  readonly aggregator: Pick<Aggregator, "backend">;
  readonly local: Endpoint;
  readonly resolver: ServiceResolver;
  readonly authorizer: Authorizer;
  readonly certificate: ProxyCertificate;
}

export class AggregatedEndpoint implements Endpoint {
  readonly #options: AggregatedEndpointOptions;

  constructor(options: AggregatedEndpointOptions) {
    this.#options = options;
  }

  serve(exchange: Exchange): Promise<void> | void {
    const { aggregator, local } = this.#options;
    const [group, version] = groupVersionOf(exchange);
    const service = version === "" ? undefined : aggregator.backend(group, version);
    return service === undefined ? local.serve(exchange) : this.#pass(exchange, service);
  }

  async #pass(exchange: Exchange, service: DeepReadonly<APIService>): Promise<void> {
    // Paths were authorised before they came here; resources are where they are served.
    if (exchange.info.isResource) await authorizeRequest(exchange, this.#options.authorizer);
    const address = isAvailable(service) ? this.#resolve(service) : undefined;
    if (address === undefined) {
      writeBody(exchange, 503, Buffer.from("service unavailable\n"), "text/plain; charset=utf-8");
      return;
    }
    const tls = tlsTo(service, this.#options.certificate);
    const { request, user } = exchange;
    await forward(exchange, { protocol: "https", ...address, path: request.url ?? "/", tls, headers: userHeaders(user) });
  }

  #resolve(service: DeepReadonly<APIService>): Address | undefined {
    const reference = serviceOf(service);
    try {
      return reference === undefined ? undefined : this.#options.resolver.resolve(reference);
    } catch (error) {
      if (error instanceof StatusError) return undefined;
      throw error;
    }
  }
}

/** Of `/apis/<group>/<version>…` and `/openapi/v3/apis/<group>/<version>`; "" where there is none. */
function groupVersionOf({ info }: Exchange): readonly [group: string, version: string] {
  const { segments, isResource, group, version } = info;
  if (isResource) return [group, version];
  const below = segments[0] === "openapi" && segments[1] === "v3" ? segments.slice(2) : segments;
  return below[0] === "apis" ? [below[1] ?? "", below[2] ?? ""] : ["", ""];
}
