// Event: an hour's life, columns and selectors about the object it regards.
import { type FieldError, field } from "../../machinery/index.ts";
import { column, integerColumn, nameColumn, wideColumn } from "../printing/columns.ts";
import { timeSince } from "../printing/duration.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Event } from "../types/core/v1.ts";

function firstSeen(event: Event, nowMs: number): string {
  return timeSince(event.firstTimestamp ?? event.eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  const last = event.series?.lastObservedTime ?? event.lastTimestamp;
  return last === undefined ? firstSeen(event, nowMs) : timeSince(last, nowMs);
}

function objectCell({ involvedObject: { kind = "", name = "" } }: Event): string {
  const text = kind.toLowerCase();
  return name === "" ? text : `${text}/${name}`;
}

function sourceCell({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const host = source?.host || reportingInstance || "";
  return host === "" ? component : `${component}, ${host}`;
}

function countCell({ series, count, eventTime }: Event): number {
  if (series) return series.count ?? 0;
  return count || (eventTime === undefined ? 0 : 1);
}

function validate(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const namespace = event.metadata.namespace ?? "";
  const regarded = event.involvedObject.namespace ?? "";
  const isWrong = regarded === "" ? namespace !== "" && namespace !== "default" : namespace !== regarded;
  if (isWrong) errors.push(field.invalid("involvedObject.namespace", regarded, "does not match event.namespace"));
  if (event.eventTime === undefined) return errors;
  if (!event.reportingComponent) errors.push(field.required("reportingController"));
  if (!event.reportingInstance) errors.push(field.required("reportingInstance"));
  if (!event.action) errors.push(field.required("action"));
  if (!event.reason) errors.push(field.required("reason"));
  if (event.type !== "Normal" && event.type !== "Warning") {
    errors.push(field.invalid("", event.type ?? "", `has invalid value: ${event.type ?? ""}`));
  }
  return errors;
}

export const eventStrategy: KindStrategy<Event> = {
  applyDefaults(event) {
    // Upstream's encoder never leaves these structs out.
    event.source ??= {};
    event.reportingComponent ??= "";
    event.reportingInstance ??= "";
  },
  validate,
  allowsCreateOnUpdate: true,
  ttlSeconds: 3600,
  columns: [
    column("Last Seen", lastSeen),
    column("Type", (event) => event.type ?? ""),
    column("Reason", (event) => event.reason ?? ""),
    column("Object", objectCell),
    wideColumn("Subobject", (event) => event.involvedObject.fieldPath ?? ""),
    wideColumn("Source", sourceCell),
    column("Message", (event) => (event.message ?? "").trim()),
    wideColumn("First Seen", firstSeen),
    { ...integerColumn("Count", countCell), priority: 1 },
    { ...nameColumn, priority: 1 },
  ],
  selectableFields: {
    "involvedObject.kind": (event) => event.involvedObject.kind ?? "",
    "involvedObject.namespace": (event) => event.involvedObject.namespace ?? "",
    "involvedObject.name": (event) => event.involvedObject.name ?? "",
    "involvedObject.uid": (event) => event.involvedObject.uid ?? "",
    "involvedObject.apiVersion": (event) => event.involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": (event) => event.involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": (event) => event.involvedObject.fieldPath ?? "",
    reason: (event) => event.reason ?? "",
    reportingComponent: (event) => event.reportingComponent ?? "",
    source: (event) => event.source?.component || event.reportingComponent || "",
    type: (event) => event.type ?? "",
  },
};
