// Fitting a decoded value to its type as Go's decoder does: unknown fields, wrong types, nulls. One walk does it all.
import type { FieldFacts, FieldType, TypeFacts } from "../schema.ts";
import { maxStrictErrors } from "./parse-json.ts";
import { goType, scalarProblem, zeroValue } from "./scalars.ts";

export * from "./parse-json.ts";

export interface FieldReport {
  /** `unknown field "spec.foo"`, each once. */
  readonly unknown: string[];
  /** The first value of a wrong type: `json: cannot unmarshal string into Go struct field …`. */
  readonly typeError: string | undefined;
}

/** What does not fit the type; `value` stays as it is. */
export function checkFields(value: unknown, facts: TypeFacts): FieldReport {
  return new Walk({ isPruning: false }).root(value, facts);
}

/**
 * Removes from `value`, a private draft, what the type does not know and the nulls; says what it found. A null in a list
 * or map becomes the empty value of its type, as Go has it.
 */
export function pruneUnknown(value: unknown, facts: TypeFacts): FieldReport {
  return new Walk({ isPruning: true }).root(value, facts);
}

type Members = Record<string, unknown>;

class Walk {
  readonly #isPruning: boolean;
  readonly #unknown = new Set<string>();
  /** Names and indices from the root to the value at hand. */
  readonly #path: (string | number)[] = [];
  #typeError: string | undefined;

  constructor({ isPruning }: { isPruning: boolean }) {
    this.#isPruning = isPruning;
  }

  root(value: unknown, facts: TypeFacts): FieldReport {
    if (isMembers(value)) this.#object(value, facts);
    else this.#typeError = `json: cannot unmarshal ${describe(value)} into Go value of type ${goType({ kind: "object", type: facts })}`;
    return { unknown: [...this.#unknown], typeError: this.#typeError };
  }

  #object(value: Members, facts: TypeFacts): void {
    for (const key in value) {
      const field = facts.fields.get(key);
      const member = value[key];
      if (field === undefined) this.#unknownField(value, key);
      else if (member === null || member === undefined) {
        if (this.#isPruning) delete value[key];
      } else if (this.#isPruning && saysNothing(member, field)) {
        delete value[key];
      } else {
        this.#path.push(key);
        this.#value(member, field.type, { facts, field });
        this.#path.pop();
      }
    }
  }

  #unknownField(value: Members, key: string): void {
    if (this.#isPruning) delete value[key];
    if (this.#unknown.size >= maxStrictErrors) return;
    this.#unknown.add(`unknown field "${pathText([...this.#path, key])}"`);
  }

  #value(value: unknown, type: FieldType, owner: Owner): void {
    switch (type.kind) {
      case "scalar": {
        const problem = scalarProblem(value, type.scalar);
        if (problem !== undefined) this.#wrongType(value, type, owner, problem);
        return;
      }
      case "object":
        if (isMembers(value)) this.#object(value, type.type);
        else this.#wrongType(value, type, owner);
        return;
      case "list":
        if (Array.isArray(value)) this.#list(value, type.items, owner);
        else this.#wrongType(value, type, owner);
        return;
      case "map":
        if (isMembers(value)) this.#map(value, type.values, owner);
        else this.#wrongType(value, type, owner);
    }
  }

  #list(list: unknown[], items: FieldType, owner: Owner): void {
    const depth = this.#path.length;
    for (let index = 0; index < list.length; index++) {
      const item = list[index];
      if (item === null) {
        if (this.#isPruning) list[index] = zeroValue(items);
        continue;
      }
      this.#path[depth] = index;
      this.#value(item, items, owner);
    }
    this.#path.length = depth;
  }

  #map(map: Members, values: FieldType, owner: Owner): void {
    for (const key in map) {
      const value = map[key];
      if (value === null) {
        if (this.#isPruning) map[key] = zeroValue(values);
        continue;
      }
      this.#path.push(key);
      this.#value(value, values, owner);
      this.#path.pop();
    }
  }

  #wrongType(value: unknown, type: FieldType, owner: Owner, problem = ""): void {
    if (this.#typeError !== undefined) return;
    if (problem !== "") {
      this.#typeError = problem;
      return;
    }
    const names = this.#path.filter((step) => typeof step === "string").join(".");
    const place = `${owner.facts.name.split(".").at(-1)}.${names}`;
    this.#typeError = `json: cannot unmarshal ${describe(value)} into Go struct field ${place} of type ${goType(type)}`;
  }
}

/** The struct and its field that a value belongs to, for messages. */
interface Owner {
  readonly facts: TypeFacts;
  readonly field: FieldFacts;
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
