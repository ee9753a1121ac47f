// /openapi/v2 and /openapi/v3: documents built when first asked for and kept as bytes.
import type { Resource, ResourceCatalog } from "../../api/index.ts";
import { type CachedDocument, cachedDocument, writeDocument } from "../front/cached-document.ts";
import { type Endpoint, type Exchange, header } from "../front/exchange.ts";
import { acceptClauses, notAcceptable } from "../front/negotiation.ts";
import { resourceNotFound } from "../front/resource-endpoint.ts";
import { clientDescriptions, type Descriptions } from "./descriptions.ts";
import { documentV2 } from "./document-v2.ts";
import { type DocumentOptions, documentV3 } from "./document-v3.ts";
import { mergeV2, type RemoteDocumentV2 } from "./merge-v2.ts";
import { encodeDocumentV2 } from "./protobuf-v2.ts";

export interface OpenApiOptions {
  readonly catalog: ResourceCatalog;
  /** The server's gitVersion. */
  readonly version: string;
  /** Default: those of the installed client. */
  readonly descriptions?: Descriptions;
  /** Documents that other servers have. */
  readonly remote?: RemoteDocuments | undefined;
}

export interface RemoteDocuments {
  /** Changes when any of them does. */
  readonly version: number;
  /** `apis/<group>/<version>` → the document's path with its hash. */
  openApiPaths(): ReadonlyMap<string, string>;
  openApiV2(): readonly RemoteDocumentV2[];
}

const JSON_TYPE = "application/json";
/** What clients of v2 ask for, and what they are answered in. */
const PROTOBUF_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const answerTypes: Readonly<Record<string, string>> = {
  [JSON_TYPE]: JSON_TYPE,
  "application/*": JSON_TYPE,
  "*/*": JSON_TYPE,
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf": PROTOBUF_TYPE,
  [PROTOBUF_TYPE]: PROTOBUF_TYPE,
};

export class OpenApiEndpoint implements Endpoint {
  readonly #catalog: ResourceCatalog;
  readonly #documentOptions: DocumentOptions;
  readonly #remote: RemoteDocuments | undefined;
  #remoteVersion: number | undefined;
  #source: readonly Resource[] | undefined;
  #byGroupVersion: ReadonlyMap<string, readonly Resource[]> = new Map();
  readonly #documents = new Map<string, CachedDocument>();

  constructor({ catalog, version, descriptions = clientDescriptions(), remote }: OpenApiOptions) {
    this.#remote = remote;
    this.#catalog = catalog;
    this.#documentOptions = { version, descriptions };
  }

  serve(exchange: Exchange): void {
    this.#refresh();
    const [, version, ...rest] = exchange.info.segments;
    const isV2 = version === "v2" && rest.length === 0;
    const type = answerType(header(exchange.request, "accept"), isV2 ? [JSON_TYPE, PROTOBUF_TYPE] : [JSON_TYPE]);
    const document = isV2 ? this.#v2(type) : version !== "v3" ? undefined : rest.length === 0 ? this.#index() : this.#v3(rest.join("/"));
    if (document === undefined) throw resourceNotFound();
    if (exchange.info.query?.get("hash") === document.hash) exchange.response.setHeader("Cache-Control", "public, immutable");
    writeDocument(exchange, document);
  }

  #refresh(): void {
    const resources = this.#catalog.all();
    if (resources === this.#source && this.#remote?.version === this.#remoteVersion) return;
    this.#source = resources;
    this.#remoteVersion = this.#remote?.version;
    const before = this.#byGroupVersion;
    this.#byGroupVersion = Map.groupBy(resources, keyOf);
    for (const key of [...this.#documents.keys()]) {
      if (!isSame(before.get(key), this.#byGroupVersion.get(key))) this.#documents.delete(key);
    }
  }

  #index(): CachedDocument {
    return this.#cached("", () => {
      const paths: Record<string, object> = {};
      for (const key of [...this.#byGroupVersion.keys()].sort()) {
        paths[key] = { serverRelativeURL: `/openapi/v3/${key}?hash=${this.#v3(key)?.hash}` };
      }
      for (const [key, path] of this.#remote?.openApiPaths() ?? []) paths[key] = { serverRelativeURL: path };
      return { paths };
    });
  }

  #v3(key: string): CachedDocument | undefined {
    const resources = this.#byGroupVersion.get(key);
    return resources === undefined ? undefined : this.#cached(key, () => documentV3(resources, this.#documentOptions));
  }

  #v2(type: string): CachedDocument {
    const document = () => mergeV2(documentV2(this.#source ?? [], this.#documentOptions), this.#remote?.openApiV2() ?? []);
    if (type === JSON_TYPE) return this.#cached("v2", document);
    return this.#cached("v2 protobuf", () => encodeDocumentV2(document()), PROTOBUF_TYPE);
  }

  #cached(key: string, build: () => object, contentType = JSON_TYPE): CachedDocument {
    let document = this.#documents.get(key);
    if (document === undefined) {
      document = cachedDocument(build(), contentType);
      this.#documents.set(key, document);
    }
    return document;
  }
}

/** The path of a group version's document. */
function keyOf({ group, version, apiVersion }: Resource): string {
  return group === "" ? `api/${version}` : `apis/${apiVersion}`;
}

/** Whether a document of these resources would be the same. */
function isSame(before: readonly Resource[] | undefined, now: readonly Resource[] | undefined): boolean {
  if (before === undefined || now === undefined || before.length !== now.length) return false;
  return before.every((resource, index) => resource === now[index]);
}

/** The first of the wanted types that is offered. Throws NotAcceptable. */
function answerType(accept: string | undefined, offered: readonly string[]): string {
  if (accept === undefined || accept === "") return JSON_TYPE;
  for (const { type } of acceptClauses(accept)) {
    const answered = answerTypes[type];
    if (answered !== undefined && offered.includes(answered)) return answered;
  }
  throw notAcceptable(offered);
}
