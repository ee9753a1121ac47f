// events.k8s.io/v1 ↔ core/v1 of Event, which is stored as core/v1: the same facts under other names.
import type { Event as CoreEvent } from "../types/core/v1.ts";
import type { Event } from "../types/events/v1.ts";

function defined<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

export function eventToCore(event: Event): CoreEvent {
  const {
    note,
    regarding,
    reportingController,
    deprecatedCount,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedSource,
    ...same
  } = event;
  return defined({
    ...same,
    apiVersion: "v1",
    involvedObject: regarding ?? {},
    message: note,
    reportingComponent: reportingController,
    count: deprecatedCount,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    source: deprecatedSource,
  });
}

export function eventFromCore(event: CoreEvent): Event {
  const { message, involvedObject, reportingComponent, count, firstTimestamp, lastTimestamp, source, series, eventTime, ...same } = event;
  return defined({
    ...same,
    apiVersion: "events.k8s.io/v1",
    // Old events have none; upstream then sends null.
    eventTime: eventTime ?? (null as unknown as string),
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent,
    deprecatedCount: count,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedSource: source,
    series: series && { count: series.count ?? 0, lastObservedTime: series.lastObservedTime ?? "" },
  });
}
