// metrics.k8s.io: what nodes and pods use now, computed when it is asked for from what the nodes tell.
import type { ApiHandler, ResourceCatalog } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import { type DeepReadonly, isNotFound, type KubeObject } from "../../machinery/index.ts";
import { loopbackUser } from "../authz/watched-collection.ts";
import type { ComputedQuery, ComputedSource } from "../registry/computed.ts";
import { nodeMetricsOf, podMetricsOf } from "./metrics-objects.ts";
import type { UsageSource } from "./usage.ts";
import { UsageCache, type UsagePair } from "./usage-cache.ts";

export interface MetricsApiOptions {
  /** Nodes and pods are read from it. */
  readonly handler: Pick<ApiHandler, "get" | "list">;
  readonly catalog: ResourceCatalog;
  readonly source: UsageSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The resources of metrics.k8s.io, for `ApiServerCoreOptions.computed`. */
export function metricsApi(options: MetricsApiOptions): ReadonlyMap<string, ComputedSource> {
  const cache = new UsageCache(options);
  const reader = new MetricsReader(options, cache);
  return new Map([
    ["metrics.k8s.io/nodes", { objects: (query: ComputedQuery) => reader.nodes(query) }],
    ["metrics.k8s.io/pods", { objects: (query: ComputedQuery) => reader.pods(query) }],
  ]);
}

class MetricsReader {
  readonly #options: MetricsApiOptions;
  readonly #cache: UsageCache;

  constructor(options: MetricsApiOptions, cache: UsageCache) {
    this.#options = options;
    this.#cache = cache;
  }

  async nodes(query: ComputedQuery): Promise<readonly KubeObject[]> {
    const nodes = await this.#objects<Node>("nodes", query);
    if (query.name === "" && query.matches === undefined) this.#cache.retain(new Set(nodes.map(({ metadata }) => metadata.name ?? "")));
    const usages = await this.#usages(nodes.map(({ metadata }) => metadata.name ?? ""));
    return this.#made(nodes, ({ metadata }) => usages.get(metadata.name ?? ""), nodeMetricsOf);
  }

  async pods(query: ComputedQuery): Promise<readonly KubeObject[]> {
    const pods = (await this.#objects<Pod>("pods", query)).filter(({ status }) => status?.phase === "Running");
    const usages = await this.#usages(pods.map(({ spec }) => spec?.nodeName ?? ""));
    return this.#made(pods, ({ spec }) => usages.get(spec?.nodeName ?? ""), podMetricsOf);
  }

  #made<T>(
    objects: readonly DeepReadonly<T>[],
    usageOf: (object: DeepReadonly<T>) => UsagePair | undefined,
    make: (object: DeepReadonly<T>, usage: UsagePair, nowMs: number) => KubeObject | undefined,
  ): readonly KubeObject[] {
    const nowMs = this.#options.clock.now();
    return objects.flatMap((object) => {
      const usage = usageOf(object);
      return (usage && make(object, usage, nowMs)) ?? [];
    });
  }

  async #usages(nodeNames: readonly string[]): Promise<ReadonlyMap<string, UsagePair | undefined>> {
    const unique = [...new Set(nodeNames)];
    return new Map(await Promise.all(unique.map(async (name) => [name, await this.#cache.usageOf(name)] as const)));
  }

  async #objects<T extends KubeObject>(plural: string, { namespace, name, matches, signal }: ComputedQuery): Promise<DeepReadonly<T>[]> {
    const { handler, catalog } = this.#options;
    const resource = catalog.find("", "v1", plural);
    if (resource === undefined) throw new Error(`the catalog has no ${plural}`);
    const scope = { user: loopbackUser, resource, namespace, name, subresource: "", signal };
    if (name !== "" && (namespace !== "" || !resource.namespaced)) {
      try {
        return [(await handler.get(scope, {})).object as DeepReadonly<T>];
      } catch (error) {
        if (isNotFound(error)) return [];
        throw error;
      }
    }
    const { items } = await handler.list({ ...scope, name: "" }, {});
    const objects = items.map(({ object }) => object);
    return (matches === undefined ? objects : objects.filter((object) => matches(object))) as DeepReadonly<T>[];
  }
}
