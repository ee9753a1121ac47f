// The scalar types of the API: what a value of each may be, and what Go calls them.
import { QuantityError, quantityMilli } from "../quantity.ts";
import type { FieldType, ScalarType } from "../schema.ts";

const goScalars: Readonly<Record<ScalarType, string>> = {
  string: "string",
  int32: "int32",
  int64: "int64",
  double: "float64",
  boolean: "bool",
  bytes: "[]uint8",
  time: "string",
  microTime: "string",
  quantity: "string",
  intOrString: "string",
  any: "interface {}",
};

/** `[]v1.Container`, `map[string]string`: the name of a type in Go. */
export function goType(type: FieldType): string {
  switch (type.kind) {
    case "scalar":
      return goScalars[type.scalar];
    case "object":
      return type.type.name.split(".").slice(-2).join(".");
    case "list":
      return `[]${goType(type.items)}`;
    case "map":
      return `map[string]${goType(type.values)}`;
  }
}

/** What a null becomes where a value has to be. */
export function zeroValue(type: FieldType): unknown {
  if (type.kind === "object" || type.kind === "map") return {};
  if (type.kind === "list") return [];
  switch (type.scalar) {
    case "int32":
    case "int64":
    case "double":
    case "intOrString":
      return 0;
    case "boolean":
      return false;
    case "quantity":
      return "0";
    case "any":
      return null;
    default:
      return "";
  }
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const base64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;

/** undefined if `value` fits; "" if it is of the wrong type; else a message of the type's own decoder. */
export function scalarProblem(value: unknown, scalar: ScalarType): string | undefined {
  switch (scalar) {
    case "string":
      return typeof value === "string" ? undefined : "";
    case "int32":
      return Number.isInteger(value) && Math.abs(value as number) <= 2 ** 31 ? undefined : "";
    case "int64":
      return Number.isInteger(value) && Math.abs(value as number) <= 2 ** 63 ? undefined : "";
    case "double":
      return typeof value === "number" ? undefined : "";
    case "boolean":
      return typeof value === "boolean" ? undefined : "";
    case "bytes":
      return typeof value === "string" ? bytesProblem(value) : "";
    case "time":
    case "microTime":
      return typeof value === "string" ? timeProblem(value, scalar) : "";
    case "quantity":
      return quantityProblem(value);
    case "intOrString":
      if (typeof value === "string") return undefined;
      return typeof value === "number" ? scalarProblem(value, "int32") : "";
    case "any":
      return undefined;
  }
}

function bytesProblem(value: string): string | undefined {
  const isValid = base64.test(value) && value.replace(/[\r\n]/g, "").length % 4 === 0;
  return isValid ? undefined : `illegal base64 data at input byte ${value.search(/[^A-Za-z0-9+/]|$/)}`;
}

function timeProblem(value: string, scalar: "time" | "microTime"): string | undefined {
  if (isoTime.test(value) && !Number.isNaN(Date.parse(value))) return undefined;
  const layout = scalar === "time" ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00";
  return `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)} as "2006"`;
}

function quantityProblem(value: unknown): string | undefined {
  if (typeof value === "number") return undefined;
  if (typeof value !== "string") return "";
  try {
    quantityMilli(value.trim());
    return undefined;
  } catch (error) {
    if (error instanceof QuantityError) return error.message;
    throw error;
  }
}
