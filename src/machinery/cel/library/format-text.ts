// `"%s has %d".format([…])`: the printf of CEL's string extension.
import { CelEvaluationError } from "../errors.ts";
import { CelList, CelTypeValue, CelUint, isMap, typeNameOf } from "../values.ts";
import { formatDouble } from "./numbers.ts";

/** The text with each clause replaced by the next argument. */
export function formatText(template: string, args: CelList): string {
  let used = 0;
  const text = template.replace(/%(?:\.(\d+))?(%|[a-zA-Z])/g, (_clause, precision: string | undefined, verb: string) => {
    if (verb === "%") return "%";
    if (used >= args.size) throw new CelEvaluationError(`index ${used} out of range`);
    return formatClause(verb, args.at(used++), precision === undefined ? 6 : Number(precision));
  });
  if (/%$/.test(template.replaceAll("%%", ""))) throw new CelEvaluationError("unexpected end of string");
  return text;
}

function formatClause(verb: string, value: unknown, precision: number): string {
  switch (verb) {
    case "s":
      return display(value);
    case "d":
      return typeof value === "number" ? special(value) : integer(value, verb).toString();
    case "f":
      return Number.isFinite(Number(number(value, verb))) ? Number(number(value, verb)).toFixed(precision) : special(number(value, verb));
    case "e":
      return Number(number(value, verb))
        .toExponential(precision)
        .replace(/e([+-])(\d)$/, "e$10$2");
    case "b":
      return typeof value === "boolean" ? String(Number(value)) : integer(value, verb).toString(2);
    case "o":
      return integer(value, verb).toString(8);
    case "x":
    case "X": {
      const text =
        typeof value === "string" || value instanceof Uint8Array ? Buffer.from(value).toString("hex") : integer(value, verb).toString(16);
      return verb === "X" ? text.toUpperCase() : text;
    }
    default:
      throw new CelEvaluationError(`unrecognized formatting clause "${verb}"`);
  }
}

function integer(value: unknown, verb: string): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof CelUint) return value.value;
  throw new CelEvaluationError(`error during formatting: %${verb} can only be used on integers, was given ${typeNameOf(value)}`);
}

function number(value: unknown, verb: string): number {
  if (typeof value === "number") return value;
  return Number(integer(value, verb));
}

function special(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "Infinity";
  if (value === Number.NEGATIVE_INFINITY) return "-Infinity";
  throw new CelEvaluationError("error during formatting: %d can only be used on integers, was given double");
}

function display(value: unknown): string {
  if (value instanceof CelList) return `[${[...value].map(display).join(", ")}]`;
  if (isMap(value)) {
    const entries = [...value.keys()].map((key) => `${display(key)}: ${display(value.get(key))}`);
    return `{${entries.sort().join(", ")}}`;
  }
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof CelTypeValue) return value.name;
  return typeof value === "number" && Number.isFinite(value)
    ? formatDouble(value)
    : typeof value === "number"
      ? special(value)
      : String(value);
}
