// Flow control in upstream's metrics.
import { Counter, Gauge, type Registry } from "prom-client";
import type { FlowControl, FlowObserver } from "./flow-control.ts";
import type { PriorityLevel } from "./priority-level.ts";

export class FlowMetrics implements FlowObserver {
  /** By level and schema, since metrics were read: every request is counted, so counting is an addition. */
  readonly #dispatched = new Map<string, Map<string, number>>();
  readonly #rejected: Counter;

  /** `flowControl` is asked for its levels when metrics are read. */
  constructor(registry: Registry, flowControl: () => FlowControl) {
    const registers = [registry];
    const labelNames = ["priority_level", "flow_schema"];
    const dispatched = this.#dispatched;
    new Counter({
      name: "apiserver_flowcontrol_dispatched_requests_total",
      help: "Requests that were let go on",
      labelNames,
      registers,
      collect() {
        for (const [level, schemas] of dispatched) {
          for (const [schema, count] of schemas) this.inc({ priority_level: level, flow_schema: schema }, count);
        }
        dispatched.clear();
      },
    });
    this.#rejected = new Counter({
      name: "apiserver_flowcontrol_rejected_requests_total",
      help: "Requests that were rejected, by reason",
      labelNames: [...labelNames, "reason"],
      registers,
    });
    const gauge = (name: string, help: string, value: (level: PriorityLevel) => number) =>
      new Gauge({
        name,
        help,
        labelNames: ["priority_level"],
        registers,
        collect() {
          for (const level of flowControl().levels) this.set({ priority_level: level.name }, value(level));
        },
      });
    gauge("apiserver_flowcontrol_current_inqueue_requests", "Requests that wait in queues", ({ waiting }) => waiting);
    gauge("apiserver_flowcontrol_current_executing_requests", "Requests under way", ({ executing }) => executing);
    gauge("apiserver_flowcontrol_current_executing_seats", "Seats that they take", ({ inUse }) => inUse);
    gauge("apiserver_flowcontrol_nominal_limit_seats", "Seats of the level's own", ({ limits }) => limits.seats);
  }

  dispatched(level: string, schema: string): void {
    let schemas = this.#dispatched.get(level);
    if (schemas === undefined) this.#dispatched.set(level, (schemas = new Map()));
    schemas.set(schema, (schemas.get(schema) ?? 0) + 1);
  }

  rejected(level: string, schema: string, reason: string): void {
    this.#rejected.inc({ priority_level: level, flow_schema: schema, reason });
  }
}
