// What the autoscaler reads of the metrics APIs: metrics.k8s.io, custom.metrics.k8s.io, external.metrics.k8s.io. Amounts
// are in thousandths.
import { type PodMetrics, podMetrics, type ResourceRef } from "../../api/index.ts";
import type { CrossVersionObjectReference } from "../../api/types/autoscaling/v2.ts";
import type { Client } from "../../client/index.ts";
import { type DeepReadonly, type KubeObject, quantityMilli } from "../../machinery/index.ts";
import { messageOf } from "../error-message.ts";

export interface PodMetric {
  readonly milli: number;
  readonly timestampMs: number;
  /** How long it was measured. */
  readonly windowMs: number;
}

/** By the pod's name. */
export type PodMetricsByName = ReadonlyMap<string, PodMetric>;

/** A metric cannot be had; the message tells why. */
export class MetricsError extends Error {
  readonly code = "METRICS";
}

interface MetricQuery {
  readonly namespace: string;
  readonly metricName: string;
  /** Label selectors in text form, "" for all. */
  readonly metricSelector: string;
  readonly signal: AbortSignal;
}

export interface ResourceQuery {
  readonly namespace: string;
  /** Such as `cpu`. */
  readonly resource: string;
  readonly selector: string;
  /** One container's use instead of the whole pod's. */
  readonly container?: string | undefined;
  readonly signal: AbortSignal;
}

/** Every call rejects with MetricsError when there is no such metric. */
export interface MetricsClient {
  resource(query: ResourceQuery): Promise<PodMetricsByName>;
  pods(query: MetricQuery & { readonly selector: string }): Promise<PodMetricsByName>;
  object(query: MetricQuery & { readonly object: DeepReadonly<CrossVersionObjectReference> }): Promise<number>;
  /** The values of all series that the selector matches. */
  external(query: MetricQuery): Promise<readonly number[]>;
}

interface MetricValue extends KubeObject {
  readonly describedObject?: { readonly name?: string };
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  readonly value: string;
}

const DEFAULT_WINDOW_MS = 60_000;

export class ApiMetricsClient implements MetricsClient {
  readonly #client: Client;
  readonly #resources: () => readonly ResourceRef<KubeObject>[];

  /** `resources`: to find the plural of described objects. */
  constructor(client: Client, resources: () => readonly ResourceRef<KubeObject>[]) {
    this.#client = client;
    this.#resources = resources;
  }

  async resource({ namespace, resource, selector, container, signal }: ResourceQuery): Promise<PodMetricsByName> {
    const { items } = await this.#list(podMetrics, { namespace, labelSelector: selector, signal }, "resource metrics API");
    if (items.length === 0) throw new MetricsError("no metrics returned from resource metrics API");
    const found = new Map<string, PodMetric>();
    for (const item of items) {
      const milli = container === undefined ? podUsage(item, resource) : containerUsage(item, resource, container);
      if (milli === undefined) continue;
      found.set(item.metadata.name ?? "", { milli, timestampMs: Date.parse(item.timestamp), windowMs: goDurationMs(item.window) });
    }
    return found;
  }

  async pods({
    namespace,
    metricName,
    metricSelector,
    selector,
    signal,
  }: MetricQuery & { readonly selector: string }): Promise<PodMetricsByName> {
    const resource = customMetric(`pods/*/${metricName}`);
    const labelSelector = [selector, metricSelector].filter((text) => text !== "").join(",");
    const { items } = await this.#list(resource, { namespace, labelSelector, signal }, "custom metrics API");
    if (items.length === 0) throw new MetricsError("no metrics returned from custom metrics API");
    return new Map(
      items.map(({ describedObject, value, timestamp, windowSeconds }) => [
        describedObject?.name ?? "",
        {
          milli: quantityMilli(value),
          timestampMs: Date.parse(timestamp ?? ""),
          windowMs: windowSeconds === undefined ? DEFAULT_WINDOW_MS : windowSeconds * 1000,
        },
      ]),
    );
  }

  async object(query: MetricQuery & { readonly object: DeepReadonly<CrossVersionObjectReference> }): Promise<number> {
    const { namespace, metricName, metricSelector, object, signal } = query;
    const group = object.apiVersion?.includes("/") === true ? object.apiVersion.split("/")[0] : "";
    const plural = this.#resources().find((each) => each.kind === object.kind && each.group === group)?.resource;
    const path = `${plural ?? object.kind.toLowerCase()}${group === "" ? "" : `.${group}`}/${object.name}/${metricName}`;
    const { items } = await this.#list(customMetric(path), { namespace, labelSelector: metricSelector, signal }, "custom metrics API");
    if (items[0] === undefined) throw new MetricsError("no metrics returned from custom metrics API");
    return quantityMilli(items[0].value);
  }

  async external({ namespace, metricName, metricSelector, signal }: MetricQuery): Promise<readonly number[]> {
    const resource: ResourceRef<MetricValue> = {
      group: "external.metrics.k8s.io",
      version: "v1beta1",
      resource: metricName,
      kind: "ExternalMetricValue",
      namespaced: true,
    };
    const { items } = await this.#list(resource, { namespace, labelSelector: metricSelector, signal }, "external metrics API");
    if (items.length === 0) throw new MetricsError("no metrics returned from external metrics API");
    return items.map(({ value }) => quantityMilli(value));
  }

  async #list<T extends KubeObject>(resource: ResourceRef<T>, options: Parameters<Client["list"]>[1], api: string) {
    try {
      return await this.#client.list(resource, options);
    } catch (error) {
      throw new MetricsError(`unable to fetch metrics from ${api}: ${messageOf(error)}`, { cause: error });
    }
  }
}

function customMetric(path: string): ResourceRef<MetricValue> {
  return { group: "custom.metrics.k8s.io", version: "v1beta2", resource: path, kind: "MetricValue", namespaced: true };
}

/** Undefined when a container does not tell. */
function podUsage({ containers }: DeepReadonly<PodMetrics>, resource: string): number | undefined {
  let milli = 0;
  for (const { usage } of containers) {
    const amount = usage[resource];
    if (amount === undefined) return undefined;
    milli += quantityMilli(amount);
  }
  return milli;
}

function containerUsage({ metadata, containers }: DeepReadonly<PodMetrics>, resource: string, name: string): number | undefined {
  const container = containers.find((each) => each.name === name);
  if (container === undefined) {
    throw new MetricsError(`container ${name} not present in metrics for pod ${metadata.namespace}/${metadata.name}`);
  }
  const amount = container.usage[resource];
  return amount === undefined ? undefined : quantityMilli(amount);
}

/** `1m30s`, as Go writes a duration. */
function goDurationMs(text: string): number {
  const factors: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (factors[unit] ?? 0),
    0,
  );
}
