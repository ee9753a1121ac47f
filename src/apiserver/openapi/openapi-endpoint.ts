// /openapi/v2 and /openapi/v3: documents built when first asked for and kept as bytes.
import type { Resource, ResourceCatalog } from "../../api/index.ts";
import { statusError } from "../../machinery/index.ts";
import { type CachedDocument, cachedDocument, writeDocument } from "../front/cached-document.ts";
import { type Endpoint, type Exchange, header } from "../front/exchange.ts";
import { acceptClauses } from "../front/negotiation.ts";
import { resourceNotFound } from "../front/resource-endpoint.ts";
import { documentV2 } from "./document-v2.ts";
import { documentV3 } from "./document-v3.ts";

export interface OpenApiOptions {
  readonly catalog: ResourceCatalog;
  /** The server's gitVersion. */
  readonly version: string;
}

const jsonTypes = new Set(["application/json", "application/*", "*/*"]);

export class OpenApiEndpoint implements Endpoint {
  readonly #options: OpenApiOptions;
  #source: readonly Resource[] | undefined;
  readonly #byGroupVersion = new Map<string, Resource[]>();
  readonly #documents = new Map<string, CachedDocument>();

  constructor(options: OpenApiOptions) {
    this.#options = options;
  }

  serve(exchange: Exchange): void {
    const accept = header(exchange.request, "accept");
    if (accept !== undefined && accept !== "" && !acceptClauses(accept).some(({ type }) => jsonTypes.has(type))) {
      throw statusError("NotAcceptable", "only the following media types are accepted: application/json");
    }
    this.#refresh();
    const [, version, ...rest] = exchange.info.segments;
    const document =
      version === "v2" ? this.#v2() : version !== "v3" ? undefined : rest.length === 0 ? this.#index() : this.#v3(rest.join("/"));
    if (document === undefined) throw resourceNotFound();
    if (exchange.info.query?.get("hash") === document.hash) exchange.response.setHeader("Cache-Control", "public, immutable");
    writeDocument(exchange, document);
  }

  #refresh(): void {
    const resources = this.#options.catalog.all();
    if (resources === this.#source) return;
    this.#source = resources;
    this.#documents.clear();
    this.#byGroupVersion.clear();
    for (const resource of resources) {
      const key = resource.group === "" ? `api/${resource.version}` : `apis/${resource.apiVersion}`;
      const known = this.#byGroupVersion.get(key);
      if (known === undefined) this.#byGroupVersion.set(key, [resource]);
      else known.push(resource);
    }
  }

  #index(): CachedDocument {
    return this.#cached("", () => {
      const paths: Record<string, object> = {};
      for (const key of [...this.#byGroupVersion.keys()].sort()) {
        paths[key] = { serverRelativeURL: `/openapi/v3/${key}?hash=${this.#v3(key)?.hash}` };
      }
      return { paths };
    });
  }

  #v3(key: string): CachedDocument | undefined {
    const resources = this.#byGroupVersion.get(key);
    return resources === undefined ? undefined : this.#cached(key, () => documentV3(resources, this.#options.version));
  }

  #v2(): CachedDocument {
    return this.#cached("v2", () => documentV2(this.#source ?? [], this.#options.version));
  }

  #cached(key: string, build: () => object): CachedDocument {
    let document = this.#documents.get(key);
    if (document === undefined) {
      document = cachedDocument(build(), "application/json");
      this.#documents.set(key, document);
    }
    return document;
  }
}
