// Functions of CEL: overloads declared by signature, and the table in which the checker and the evaluator look for them.

import { CelDuration, CelTimestamp } from "./time.ts";
import type { CelOpaqueType, CelType } from "./types.ts";
import { listOf, structured } from "./types.ts";
import { CelHostObject, CelList, CelTypeValue, CelUint, isMap, JsonObject, StructValue } from "./values.ts";

/** What a function does. Arguments are CEL values of the declared types, the target first; so is the result. */
export type Implementation = (...args: never[]) => unknown;

/** One way to call a function. */
export interface Overload {
  readonly name: string;
  readonly isMethod: boolean;
  /** Of the arguments; of a method's target first. */
  readonly parameters: readonly CelType[];
  readonly result: CelType;
  readonly implementation: Implementation;
  /** What a call costs beyond 1, computed from the arguments. */
  readonly cost?: (...args: never[]) => number;
}

/** Declares a function: `size(list(A)) -> int`, or a method: `string.charAt(int) -> string`. */
export function overload(signature: string, implementation: Implementation, cost?: (...args: never[]) => number): Overload {
  const reader = new SignatureReader(signature);
  const declared = reader.signature();
  return { ...declared, implementation, ...(cost !== undefined && { cost }) };
}

/** Declares an operator, whose name (`_+_`) is no identifier. */
export function operator(name: string, signature: string, implementation: Implementation, cost?: (...args: never[]) => number): Overload {
  return { ...overload(`operator${signature}`, implementation, cost), name };
}

const opaqueNames: ReadonlySet<string> = new Set(["optional_type"]);
const plainNames = new Set(["dyn", "bool", "int", "uint", "double", "string", "bytes", "null_type", "timestamp", "duration", "type"]);

/** Reads `name(types) -> type` and `type.name(types) -> type`. */
class SignatureReader {
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(signature: string) {
    this.#tokens = signature.match(/[\w.]+|->|[(),]/g) ?? [];
  }

  signature(): Pick<Overload, "name" | "isMethod" | "parameters" | "result"> {
    // A method is written `target.name(…)`; the target's own name may have dots and parameters.
    const open = this.#tokens.indexOf("(");
    const head = this.#tokens.slice(0, open).join("");
    const isGenericTarget = this.#tokens.includes("->") && this.#tokens.some((token) => token.startsWith("."));
    if (isGenericTarget) {
      const target = this.#type();
      const name = this.#next().slice(1);
      return { name, isMethod: true, parameters: [target, ...this.#types()], result: this.#result() };
    }
    this.#next();
    const dot = head.lastIndexOf(".");
    const target = head.slice(0, dot);
    if (dot < 0 || isNamespace(target)) return { name: head, isMethod: false, parameters: this.#types(), result: this.#result() };
    return { name: head.slice(dot + 1), isMethod: true, parameters: [namedType(target), ...this.#types()], result: this.#result() };
  }

  #types(): CelType[] {
    const types: CelType[] = [];
    this.#next();
    while (this.#tokens[this.#position] !== ")") {
      if (this.#tokens[this.#position] === ",") this.#next();
      types.push(this.#type());
    }
    this.#next();
    return types;
  }

  #result(): CelType {
    this.#next();
    return this.#type();
  }

  #type(): CelType {
    const name = this.#next();
    const parameters = this.#tokens[this.#position] === "(" ? this.#types() : [];
    const [first = "dyn", second = "dyn"] = parameters;
    if (name === "list") return listOf(first);
    if (name === "map") return { kind: "map", key: first, value: second };
    return opaqueNames.has(name) ? { kind: "opaque", name, parameters } : namedType(name);
  }

  #next(): string {
    return this.#tokens[this.#position++] ?? "";
  }
}

/** Lower-case words without a type of that name group functions: `sets.contains`, `quantity`, `math.greatest`. */
function isNamespace(target: string): boolean {
  return !plainNames.has(target) && !/[A-Z]/.test(target);
}

function namedType(name: string): CelType {
  if (/^[A-Z]$/.test(name)) return { kind: "parameter", name };
  return plainNames.has(name) ? (name as CelType) : { kind: "opaque", name, parameters: [] };
}

/** An opaque type without parameters. */
export function opaqueType(name: string): CelOpaqueType {
  return { kind: "opaque", name, parameters: [] };
}

/** All overloads, by name. Immutable. */
export class FunctionTable {
  readonly #byName: ReadonlyMap<string, readonly Overload[]>;

  constructor(overloads: readonly Overload[]) {
    this.#byName = Map.groupBy(overloads, ({ name }) => name);
  }

  /** The overloads with this name that are called this way with so many arguments (a target counts). */
  find(name: string, isMethod: boolean, count: number): readonly Overload[] {
    return (this.#byName.get(name) ?? []).filter((found) => found.isMethod === isMethod && found.parameters.length === count);
  }

  /** Whether any function has this name. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }
}

/** Whether a value at run time is of the type. Elements of lists and maps are not looked at. */
export function isOfType(value: unknown, type: CelType): boolean {
  const shape = structured(type);
  if (typeof shape === "object") {
    if (shape.kind === "parameter") return true;
    if (shape.kind === "list") return value instanceof CelList;
    if (shape.kind === "map") return isMap(value);
    if (shape.kind === "opaque") return value instanceof CelHostObject && value.celType === shape.name;
    return (
      (value instanceof StructValue && value.typeName === shape.name) || (value instanceof JsonObject && value.type.name === shape.name)
    );
  }
  switch (shape) {
    case "dyn":
      return true;
    case "bool":
      return typeof value === "boolean";
    case "int":
      return typeof value === "bigint";
    case "uint":
      return value instanceof CelUint;
    case "double":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "bytes":
      return value instanceof Uint8Array;
    case "null_type":
      return value === null;
    case "timestamp":
      return value instanceof CelTimestamp;
    case "duration":
      return value instanceof CelDuration;
    case "type":
      return value instanceof CelTypeValue;
  }
}
