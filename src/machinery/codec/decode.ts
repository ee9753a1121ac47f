// Fitting a decoded value to its type as Go's decoder does: unknown fields, wrong types, nulls. One walk does it all.
import { copyJson } from "../copy-json.ts";
import { setMember } from "../patch/patch-error.ts";
import type { FieldFacts, FieldType, TypeFacts } from "../schema.ts";
import { maxStrictErrors } from "./parse-json.ts";
import { goType, scalarProblem, zeroValue } from "./scalars.ts";

export * from "./parse-json.ts";

export interface FieldReport {
  /** `unknown field "spec.foo"`, each once. */
  readonly unknown: readonly string[];
  /** The first value of a wrong type: `json: cannot unmarshal string into Go struct field …`. */
  readonly typeError: string | undefined;
}

export interface FittedValue extends FieldReport {
  /** A private copy without what the type does not know and without nulls; of no use when there is a type error. */
  readonly object: Record<string, unknown>;
}

/** `value`, which stands at `path`, as its type has it. A null in a list or map becomes the empty value of its type, as Go has it. */
export function fitToType(value: unknown, facts: TypeFacts, path?: string): FittedValue {
  return new Walk(path).root(value, facts);
}

type Members = Record<string, unknown>;

class Walk {
  readonly #unknown = new Set<string>();
  /** Names and indices from the root to the value at hand. */
  readonly #path: (string | number)[];
  #typeError: string | undefined;

  constructor(path?: string) {
    this.#path = path === undefined ? [] : [path];
  }

  root(value: unknown, facts: TypeFacts): FittedValue {
    if (!isMembers(value)) {
      const typeError = `json: cannot unmarshal ${describe(value)} into Go value of type ${goType({ kind: "object", type: facts })}`;
      return { object: {}, unknown: [], typeError };
    }
    const object = this.#object(value, facts);
    return { object, unknown: [...this.#unknown], typeError: this.#typeError };
  }

  #object(value: Members, facts: TypeFacts): Members {
    const copy: Members = {};
    for (const key in value) {
      const field = facts.fields.get(key);
      const member = value[key];
      if (field === undefined) this.#unknownField(key);
      else if (member !== null && member !== undefined && !saysNothing(member, field)) {
        this.#path.push(key);
        copy[key] = this.#value(member, field.type, facts);
        this.#path.pop();
      }
    }
    return copy;
  }

  #unknownField(key: string): void {
    if (this.#unknown.size >= maxStrictErrors) return;
    this.#unknown.add(`unknown field "${pathText([...this.#path, key])}"`);
  }

  #value(value: unknown, type: FieldType, owner: TypeFacts): unknown {
    switch (type.kind) {
      case "scalar": {
        const problem = scalarProblem(value, type.scalar);
        if (problem !== undefined) this.#wrongType(value, type, owner, problem);
        // What nobody can change any more, as the sets of managedFields, may be shared.
        return Object.isFrozen(value) ? value : copyJson(value);
      }
      case "object":
        if (isMembers(value)) return this.#object(value, type.type);
        break;
      case "list":
        if (Array.isArray(value)) return this.#list(value, type.items, owner);
        break;
      case "map":
        if (isMembers(value)) return this.#map(value, type.values, owner);
    }
    this.#wrongType(value, type, owner);
    return undefined;
  }

  #list(list: readonly unknown[], items: FieldType, owner: TypeFacts): unknown[] {
    const depth = this.#path.length;
    const copy = list.map((item, index) => {
      if (item === null) return zeroValue(items);
      this.#path[depth] = index;
      return this.#value(item, items, owner);
    });
    this.#path.length = depth;
    return copy;
  }

  #map(map: Members, values: FieldType, owner: TypeFacts): Members {
    const copy: Members = {};
    for (const key in map) {
      const value = map[key];
      if (value === undefined) continue;
      this.#path.push(key);
      setMember(copy, key, value === null ? zeroValue(values) : this.#value(value, values, owner));
      this.#path.pop();
    }
    return copy;
  }

  #wrongType(value: unknown, type: FieldType, owner: TypeFacts, problem = ""): void {
    if (this.#typeError !== undefined) return;
    if (problem !== "") {
      this.#typeError = problem;
      return;
    }
    const names = this.#path.filter((step) => typeof step === "string").join(".");
    const place = `${owner.name.split(".").at(-1)}.${names}`;
    this.#typeError = `json: cannot unmarshal ${describe(value)} into Go struct field ${place} of type ${goType(type)}`;
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether upstream's encoding would leave the field out: an optional list or map without members, a zero. */
function saysNothing(member: unknown, { type, isRequired, isOmittedWhenZero }: FieldFacts): boolean {
  if (isOmittedWhenZero === true) return member === 0 || member === false;
  if (isRequired) return false;
  if (type.kind === "list") return Array.isArray(member) && member.length === 0;
  return type.kind === "map" && isMembers(member) && Object.keys(member).length === 0;
}

/** A value in the words of Go's decoder. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? "number" : `number ${value}`;
  return typeof value === "boolean" ? "bool" : typeof value;
}

function pathText(path: readonly (string | number)[]): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : text === "" ? step : `.${step}`;
  return text;
}
