// /metrics in Prometheus' text form.
import type { Registry } from "prom-client";
import type { Endpoint, Exchange } from "../front/exchange.ts";
import { writeBody } from "../front/respond.ts";

export class MetricsEndpoint implements Endpoint {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async serve(exchange: Exchange): Promise<void> {
    writeBody(exchange, 200, Buffer.from(await this.#registry.metrics()), this.#registry.contentType);
  }
}
