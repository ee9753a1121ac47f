// The columns of `kubectl get` for custom resources: values found by JSONPath, shown by their type.
import { humanDuration, type PrintedColumn } from "../../api/index.ts";
import type { CustomResourceColumnDefinition } from "../../api/types/apiextensions/v1.ts";
import { compileJsonPath, type JsonPath, type KubeObject } from "../../machinery/index.ts";

const ageDefinition: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "CreationTimestamp is a timestamp representing the server time when this object was created.",
};

/** Name, then the declared columns; the age where none is declared. */
export function customColumns(declared: readonly CustomResourceColumnDefinition[] = []): PrintedColumn<KubeObject>[] {
  const name: PrintedColumn<KubeObject> = { name: "Name", type: "string", format: "name", cell: ({ metadata }) => metadata.name ?? "" };
  return [name, ...(declared.length === 0 ? [ageDefinition] : declared).map(customColumn)];
}

function customColumn({ name, type, format, description, priority, jsonPath }: CustomResourceColumnDefinition): PrintedColumn<KubeObject> {
  const path = compileJsonPath(jsonPath);
  return {
    name,
    type: type as PrintedColumn<KubeObject>["type"],
    ...(format !== undefined && { format }),
    ...(description !== undefined && { description }),
    ...(priority !== undefined && { priority }),
    cell: (object, nowMs) => cell(type, path, object, nowMs),
  };
}

function cell(type: string, path: JsonPath, object: KubeObject, nowMs: number): string | number | boolean | null {
  const values = path.find(object);
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date": {
      const atMs = Date.parse(String(value));
      return Number.isNaN(atMs) ? String(value) : humanDuration(nowMs - atMs);
    }
    default:
      return values.map(text).join(" ");
  }
}

function text(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
