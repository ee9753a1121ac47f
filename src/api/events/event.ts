// Event of events.k8s.io: the rules that new clients keep. Stored, printed and selected as core/v1.
import { type FieldError, field } from "../../machinery/index.ts";
import { eventStrategy } from "../core/event.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Event } from "../types/events/v1.ts";
import { eventToCore } from "./conversion.ts";

const core = eventStrategy;

function validate(event: Event): FieldError[] {
  return (core.validate?.(eventToCore(event)) ?? []).map((error) =>
    error.path === "involvedObject.namespace" ? field.invalid("regarding.namespace", error.value, error.detail) : error,
  );
}

export const eventsV1Strategy: KindStrategy<Event> = {
  validate,
  allowsCreateOnUpdate: true,
  ttlSeconds: 3600,
  columns: (core.columns ?? []).map((column) => ({
    ...column,
    cell: (event: Event, nowMs: number) => column.cell(eventToCore(event), nowMs),
  })),
  selectableFields: {
    ...Object.fromEntries(
      Object.entries(core.selectableFields ?? {})
        .filter(([path]) => !path.startsWith("involvedObject.") && path !== "reportingComponent" && path !== "source")
        .map(([path, read]) => [path, (event: Event) => read(eventToCore(event))]),
    ),
    "regarding.kind": ({ regarding }) => regarding?.kind ?? "",
    "regarding.namespace": ({ regarding }) => regarding?.namespace ?? "",
    "regarding.name": ({ regarding }) => regarding?.name ?? "",
    "regarding.uid": ({ regarding }) => regarding?.uid ?? "",
    "regarding.apiVersion": ({ regarding }) => regarding?.apiVersion ?? "",
    "regarding.resourceVersion": ({ regarding }) => regarding?.resourceVersion ?? "",
    "regarding.fieldPath": ({ regarding }) => regarding?.fieldPath ?? "",
    reportingController: ({ reportingController }) => reportingController ?? "",
  },
};
