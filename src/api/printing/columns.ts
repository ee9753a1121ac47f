// Building blocks for a kind's columns of `kubectl get`.
import type { KubeObject } from "../../machinery/index.ts";
import type { PrintedColumn } from "../strategy.ts";
import type { Container } from "../types/core/v1.ts";
import { timeSince } from "./duration.ts";

type Cell = string | number | boolean | null;

export const nameColumn: PrintedColumn<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  cell: (object) => object.metadata.name ?? "",
};

export const ageColumn: PrintedColumn<KubeObject> = {
  name: "Age",
  type: "string",
  cell: (object, nowMs) => timeSince(object.metadata.creationTimestamp, nowMs),
};

/** A text that is always shown. */
export function column<T>(name: string, cell: (object: T, nowMs: number) => Cell): PrintedColumn<T> {
  return { name, type: "string", cell };
}

/** A number that is always shown. */
export function integerColumn<T>(name: string, cell: (object: T) => number): PrintedColumn<T> {
  return { name, type: "integer", cell };
}

/** A text that only `-o wide` shows. */
export function wideColumn<T>(name: string, cell: (object: T, nowMs: number) => Cell): PrintedColumn<T> {
  return { name, type: "string", priority: 1, cell };
}

/** The names and images of a workload's containers, and its selector: the wide columns of workloads. */
export function containerColumns<T>(containers: (object: T) => readonly Container[] | undefined): PrintedColumn<T>[] {
  return [
    wideColumn("Containers", (object) => joined(containers(object)?.map((container) => container.name))),
    wideColumn("Images", (object) => joined(containers(object)?.map((container) => container.image ?? ""))),
  ];
}

function joined(texts: readonly string[] | undefined): string {
  return texts === undefined ? "" : texts.join(",");
}

/** `a,b,c` or `<none>`. */
export function listOrNone(texts: readonly string[] | undefined): string {
  return texts === undefined || texts.length === 0 ? "<none>" : texts.join(",");
}

/** `value`, or `<none>` for nothing. */
export function textOrNone(text: string | undefined): string {
  return text === undefined || text === "" ? "<none>" : text;
}

/** `a=1,b=2` by sorted key, or `<none>`. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = labels === undefined ? [] : Object.keys(labels).sort();
  return keys.length === 0 ? "<none>" : keys.map((key) => `${key}=${labels?.[key]}`).join(",");
}
