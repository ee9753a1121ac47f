// Counts requests in upstream's metrics.
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Clock } from "../../base/index.ts";
import { isLongRunning, type RequestInfo } from "../front/request-info.ts";

/** Sees every request begin; the answer is called with the HTTP code at its end. */
export interface RequestObserver {
  begin(info: RequestInfo): (code: number) => void;
}

const mutating = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** Upstream's buckets of apiserver_request_duration_seconds. */
const DURATION_BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

export class RequestMetrics implements RequestObserver {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #total: Counter;
  readonly #duration: Histogram;
  readonly #inflight: Gauge;
  readonly #longRunning: Gauge;

  constructor(registry: Registry, clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    const registers = [registry];
    const resourceLabels = ["verb", "group", "version", "resource", "subresource", "scope"];
    this.#total = new Counter({
      name: "apiserver_request_total",
      help: "Requests by verb, resource and HTTP code",
      labelNames: [...resourceLabels, "code"],
      registers,
    });
    this.#duration = new Histogram({
      name: "apiserver_request_duration_seconds",
      help: "Seconds from a request's arrival to the end of its answer",
      labelNames: resourceLabels,
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#inflight = new Gauge({
      name: "apiserver_current_inflight_requests",
      help: "Requests being answered now",
      labelNames: ["request_kind"],
      registers,
    });
    this.#longRunning = new Gauge({
      name: "apiserver_longrunning_requests",
      help: "Watches, tunnels and followed logs being answered now",
      labelNames: resourceLabels,
      registers,
    });
  }

  begin(info: RequestInfo): (code: number) => void {
    const startMs = this.#clock.monotonic();
    const labels = labelsOf(info);
    const isLong = isLongRunning(info);
    const kind = { request_kind: mutating.has(info.verb) ? "mutating" : "readOnly" };
    if (isLong) this.#longRunning.inc(labels);
    else this.#inflight.inc(kind);
    return (code) => {
      this.#total.inc({ ...labels, code });
      if (isLong) {
        this.#longRunning.dec(labels);
        return;
      }
      this.#inflight.dec(kind);
      this.#duration.observe(labels, (this.#clock.monotonic() - startMs) / 1000);
    };
  }
}

function labelsOf(info: RequestInfo) {
  const { group, version, resource, subresource } = info;
  const scope = info.name !== "" || info.verb === "create" ? "resource" : info.namespace === "" ? "cluster" : "namespace";
  // What is connected to a node or pod is no reading or writing of the API's.
  const verb = isLongRunning(info) && info.verb !== "watch" && subresource !== "log" ? "CONNECT" : info.verb.toUpperCase();
  return { verb, group, version, resource, subresource, scope: info.isResource ? scope : "" };
}
