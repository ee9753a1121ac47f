// `/api`, `/apis` and what is directly below them: which groups, versions and resources there are.
import type { Resource, ResourceCatalog } from "../../api/index.ts";
import type { RemoteGroupVersion } from "../aggregator/remote-discovery.ts";
import { type CachedDocument, cachedDocument, writeDocument } from "../front/cached-document.ts";
import { type Endpoint, type Exchange, header } from "../front/exchange.ts";
import { acceptClauses } from "../front/negotiation.ts";
import { resourceNotFound } from "../front/resource-endpoint.ts";
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from "./documents.ts";
import { type GroupVersions, groupsOf } from "./groups.ts";

/** Versions of aggregated discovery, the better first. */
type AggregatedVersion = "v2" | "v2beta1";

/** Groups that other servers serve. */
export interface RemoteGroups {
  /** Changes when `groupVersions` does. */
  readonly version: number;
  groupVersions(): readonly RemoteGroupVersion[];
}

export interface DiscoveryOptions {
  readonly catalog: ResourceCatalog;
  /** `host:port` under which clients reach this server. */
  readonly serverAddress: () => string;
  readonly remote?: RemoteGroups | undefined;
}

export class DiscoveryEndpoint implements Endpoint {
  readonly #options: DiscoveryOptions;
  /** The catalog's resources that `#groups` and `#documents` were made of. */
  #source: readonly Resource[] | undefined;
  #remoteVersion: number | undefined;
  #groups: readonly GroupVersions[] = [];
  readonly #documents = new Map<string, CachedDocument>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  serve(exchange: Exchange): void {
    this.#refresh();
    const { segments } = exchange.info;
    const aggregated = segments.length === 1 ? aggregatedVersion(header(exchange.request, "accept")) : undefined;
    const key = aggregated === undefined ? segments.join("/") : `${segments[0]} ${aggregated}`;
    let document = this.#documents.get(key);
    if (document === undefined) {
      const type = `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`;
      document = cachedDocument(this.#build(segments, aggregated), aggregated === undefined ? "application/json" : type);
      this.#documents.set(key, document);
    }
    writeDocument(exchange, document);
  }

  #refresh(): void {
    const { catalog, remote } = this.#options;
    const resources = catalog.all();
    if (resources === this.#source && remote?.version === this.#remoteVersion) return;
    this.#source = resources;
    this.#remoteVersion = remote?.version;
    this.#groups = groupsOf(resources, remote?.groupVersions());
    this.#documents.clear();
  }

  #build(segments: readonly string[], aggregated: AggregatedVersion | undefined): object {
    const [root, first, second] = segments;
    const isCore = root === "api";
    if (aggregated !== undefined)
      return aggregatedDiscovery(
        this.#groups.filter(({ group }) => (group === "") === isCore),
        aggregated,
      );
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

/** The version that the client likes best, unless it likes the plain lists better. */
function aggregatedVersion(accept: string | undefined): AggregatedVersion | undefined {
  if (accept === undefined || !accept.includes("APIGroupDiscoveryList")) return undefined;
  for (const { type, parameters } of acceptClauses(accept)) {
    if (type !== "application/json") continue;
    const [as, group, version] = ["as", "g", "v"].map((name) => parameters.get(name));
    if (as === undefined) return undefined;
    if (as !== "APIGroupDiscoveryList" || group !== "apidiscovery.k8s.io") continue;
    if (version === "v2" || version === "v2beta1") return version;
  }
  return undefined;
}
