// Table and PartialObjectMetadata: what `kubectl get` and metadata clients ask for, made from the strategy's columns.
import type { PrintedColumn, Resource, Stored } from "../../api/index.ts";
import { badRequest, type KubeObject } from "../../machinery/index.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

export function includeObject(query: URLSearchParams | undefined): IncludeObject {
  const value = query?.get("includeObject") ?? "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

const nameColumn: PrintedColumn<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  cell: (object) => object.metadata.name ?? "",
};

const ageColumn: PrintedColumn<KubeObject> = {
  name: "Age",
  type: "date",
  cell: (object, nowMs) => age(object.metadata.creationTimestamp, nowMs),
};

/** The columns shown for `resource`: Name first and Age last, unless its strategy places the name and so all columns itself. */
export function columnsOf(resource: Resource): readonly PrintedColumn<KubeObject>[] {
  const own = resource.strategy.columns ?? [];
  if (own.some((column) => column.name === "Name")) return own;
  const withName = [nameColumn, ...own];
  if (own.some((column) => column.name === "Age" || column.name === "Created At")) return withName;
  const firstWide = withName.findIndex((column) => (column.priority ?? 0) > 0);
  return firstWide < 0 ? [...withName, ageColumn] : withName.toSpliced(firstWide, 0, ageColumn);
}

/** `5d3h`, `47s`: the time since `timestamp`, in the words of duration.HumanDuration. */
export function age(timestamp: string | undefined, nowMs: number): string {
  if (timestamp === undefined) return "<unknown>";
  const seconds = Math.floor((nowMs - Date.parse(timestamp)) / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return pair(days, "d", hours % 24, "h");
  if (days < 2 * 365) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? pair(years, "y", days % 365, "d") : `${years}y`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

export interface TableOptions {
  readonly include: IncludeObject;
  readonly nowMs: number;
  /** Whether columnDefinitions are left out: they stand only in a watch's first event. */
  readonly withoutHeader?: boolean;
  readonly version?: MetaVersion | undefined;
}

export type MetaVersion = "v1" | "v1beta1";

export interface TableMeta {
  readonly resourceVersion?: string | undefined;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

/** A Table of `items` in meta.k8s.io/v1 or its beta. */
export function tableOf(resource: Resource, items: readonly Stored[], metadata: TableMeta, options: TableOptions): object {
  const columns = columnsOf(resource);
  const { version = "v1" } = options;
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: options.withoutHeader === true ? [] : columns.map(definitionOf),
    rows: items.map((stored) => rowOf(columns, stored.object as KubeObject, options)),
  };
}

function definitionOf(column: PrintedColumn<KubeObject>): object {
  const { name, type, format = "", description = "", priority = 0 } = column;
  return { name, type, format, description, priority };
}

function rowOf(columns: readonly PrintedColumn<KubeObject>[], object: KubeObject, { include, nowMs, version }: TableOptions): object {
  const cells = columns.map((column) => column.cell(object, nowMs));
  if (include === "None") return { cells };
  return { cells, object: include === "Object" ? object : partialMetadata(object, version) };
}

export function partialMetadata(object: { readonly metadata: unknown }, version: MetaVersion = "v1"): object {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

export function partialMetadataList(items: readonly Stored[], metadata: TableMeta, version: MetaVersion = "v1"): object {
  return {
    kind: "PartialObjectMetadataList",
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    items: items.map((stored) => partialMetadata(stored.object, version)),
  };
}
