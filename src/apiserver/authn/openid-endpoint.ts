// What other parties need to verify service account tokens.
import type { Endpoint, Exchange } from "../front/exchange.ts";
import { resourceNotFound } from "../front/resource-endpoint.ts";
import { writeBody, writeValue } from "../front/respond.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";

export class OpenIdEndpoint implements Endpoint {
  readonly #tokens: ServiceAccountTokens;

  constructor(tokens: ServiceAccountTokens) {
    this.#tokens = tokens;
  }

  async serve(exchange: Exchange): Promise<void> {
    switch (exchange.info.segments.join("/")) {
      case ".well-known/openid-configuration":
        writeValue(exchange, 200, this.#tokens.configuration());
        return;
      case "openid/v1/jwks":
        writeBody(exchange, 200, Buffer.from(JSON.stringify(await this.#tokens.jwks())), "application/jwk-set+json");
        return;
      default:
        throw resourceNotFound();
    }
  }
}
