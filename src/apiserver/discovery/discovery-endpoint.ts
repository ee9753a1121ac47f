// `/api`, `/apis` and what is directly below them: which groups, versions and resources there are.
import type { Resource, ResourceCatalog } from "../../api/index.ts";
import { type CachedDocument, cachedDocument, writeDocument } from "../front/cached-document.ts";
import { type Endpoint, type Exchange, header } from "../front/exchange.ts";
import { acceptClauses } from "../front/negotiation.ts";
import { resourceNotFound } from "../front/resource-endpoint.ts";
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from "./documents.ts";
import { type GroupVersions, groupsOf } from "./groups.ts";

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

export interface DiscoveryOptions {
  readonly catalog: ResourceCatalog;
  /** `host:port` under which clients reach this server. */
  readonly serverAddress: () => string;
}

export class DiscoveryEndpoint implements Endpoint {
  readonly #options: DiscoveryOptions;
  /** The catalog's resources that `#groups` and `#documents` were made of. */
  #source: readonly Resource[] | undefined;
  #groups: readonly GroupVersions[] = [];
  readonly #documents = new Map<string, CachedDocument>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  serve(exchange: Exchange): void {
    const resources = this.#options.catalog.all();
    if (resources !== this.#source) {
      this.#source = resources;
      this.#groups = groupsOf(resources);
      this.#documents.clear();
    }
    const { segments } = exchange.info;
    const isAggregated = segments.length === 1 && wantsAggregated(header(exchange.request, "accept"));
    const key = isAggregated ? `${segments[0]} aggregated` : segments.join("/");
    let document = this.#documents.get(key);
    if (document === undefined) {
      document = cachedDocument(this.#build(segments, isAggregated), isAggregated ? aggregatedType : "application/json");
      this.#documents.set(key, document);
    }
    writeDocument(exchange, document);
  }

  #build(segments: readonly string[], isAggregated: boolean): object {
    const [root, first, second] = segments;
    const isCore = root === "api";
    if (isAggregated) return aggregatedDiscovery(this.#groups.filter(({ group }) => (group === "") === isCore));
    if (first === undefined) return isCore ? apiVersions(this.#groups, this.#options.serverAddress()) : apiGroupList(this.#groups);
    const group = this.#groups.find((candidate) => candidate.group === (isCore ? "" : first));
    const version = isCore ? first : second;
    if (group === undefined) throw resourceNotFound();
    if (version === undefined) return { kind: "APIGroup", apiVersion: "v1", ...apiGroup(group) };
    const found = group.versions.find((candidate) => candidate.version === version);
    if (found === undefined) throw resourceNotFound();
    return apiResourceList(group.group, version, found.resources);
  }
}

function wantsAggregated(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes("APIGroupDiscoveryList")) return false;
  return acceptClauses(accept).some(
    ({ type, parameters }) =>
      type === "application/json" && parameters.get("as") === "APIGroupDiscoveryList" && parameters.get("v") === "v2",
  );
}
