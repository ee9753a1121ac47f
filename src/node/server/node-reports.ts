// What kubelet's server tells without streams: health, metrics, stats, pods, settings.

import { isTrue } from "../../machinery/index.ts";
import type { ProbeCounts } from "../probes/probe-counts.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { cadvisorMetrics, type MachineSize } from "./cadvisor-metrics.ts";
import { Exposition, type Sample } from "./exposition.ts";
import { HttpError } from "./http-error.ts";
import type { PodsView } from "./pod-target.ts";
import type { PlainRoute } from "./request-route.ts";
import { type DiskReport, resourceMetrics, StatsSummary, type UsageReport, type UsageSample } from "./stats-summary.ts";

export interface NodeReportsOptions {
  readonly nodeName: string;
  readonly runtime: Runtime;
  readonly pods: PodsView;
  /** A prom-client registry. */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  readonly nodeUsage: () => Promise<UsageSample>;
  /** Default: disks are not measured. */
  readonly measureDisks?: (pods: UsageReport["pods"]) => Promise<DiskReport>;
  readonly machine: MachineSize;
  readonly probeCounts: Pick<ProbeCounts, "list">;
  /** Shown by `/configz`, in the words of a KubeletConfiguration. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Whether the agent looks after its pods. */
  readonly isSyncing: () => boolean;
}

export interface Report {
  readonly contentType: string;
  readonly body: string;
}

const EXPOSITION = "text/plain; version=0.0.4; charset=utf-8";

export class NodeReports {
  readonly #options: NodeReportsOptions;
  readonly #stats = new StatsSummary();

  constructor(options: NodeReportsOptions) {
    this.#options = options;
  }

  /** Rejects with HttpError. */
  async answer(route: PlainRoute, query: URLSearchParams): Promise<Report> {
    const { configuration, isSyncing, machine, metrics, pods, probeCounts } = this.#options;
    switch (route) {
      case "healthz":
        return text("ok");
      case "syncloop":
        if (!isSyncing()) throw new HttpError(500, "sync loop is not running");
        return text("ok");
      case "configz":
        return json({ kubeletconfig: configuration });
      case "metrics":
        return { contentType: metrics.contentType, body: await metrics.metrics() };
      case "resourceMetrics":
        return { contentType: EXPOSITION, body: resourceMetrics(await this.#usage()) };
      case "cadvisor":
        return { contentType: EXPOSITION, body: cadvisorMetrics(await this.#usage(), machine) };
      case "probes": {
        const samples = probeCounts.list().map(({ labels, count }): Sample => [labels, count]);
        return { contentType: EXPOSITION, body: new Exposition().family("prober_probe_total", "counter", samples).toString() };
      }
      case "stats":
        return json(this.#stats.summary(await this.#fullUsage(query)));
      case "pods":
        return podList(pods.list());
      case "runningpods":
        return podList(await this.#runningPods());
      case "logs":
        // As upstream without enableSystemLogHandler: a node's own logs are none of the cluster's business.
        throw new HttpError(405, "logs endpoint is disabled.");
    }
  }

  async #usage(): Promise<UsageReport> {
    const { nodeName, nodeUsage, pods, runtime } = this.#options;
    const [node, containers] = await Promise.all([nodeUsage(), runtime.usage()]);
    return { nodeName, node, containers, pods: pods.list() };
  }

  /** With `only_cpu_and_memory` nothing else is measured, as for kubelet. */
  async #fullUsage(query: URLSearchParams): Promise<UsageReport> {
    const usage = await this.#usage();
    const { measureDisks } = this.#options;
    if (measureDisks === undefined || isTrue(query.get("only_cpu_and_memory"))) return usage;
    return { ...usage, disks: await measureDisks(usage.pods) };
  }

  /** As the runtime has them, with no more than names. */
  async #runningPods(): Promise<readonly object[]> {
    const pods = await this.#options.runtime.listPods();
    return pods.flatMap(({ uid, name, namespace, containers }) => {
      const running = containers.filter(({ state }) => state === "RUNNING");
      if (running.length === 0) return [];
      const spec = { containers: running.map((container) => ({ name: container.name, image: container.image, resources: {} })) };
      return [{ metadata: { name, namespace, uid, creationTimestamp: null }, spec, status: {} }];
    });
  }
}

function text(body: string): Report {
  return { contentType: "text/plain; charset=utf-8", body };
}

function json(value: object): Report {
  return { contentType: "application/json", body: JSON.stringify(value) };
}

function podList(items: readonly object[]): Report {
  return json({ kind: "PodList", apiVersion: "v1", metadata: {}, items });
}
