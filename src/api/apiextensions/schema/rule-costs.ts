// What the rules of a schema may cost, estimated before they ever run: a limit for each, and one for all together.
// @see kubernetes `apiextensions-apiserver/pkg/apis/apiextensions/validation`
import { type FieldError, field } from "../../../machinery/index.ts";
import { MAX_REQUEST_BYTES, minBytes } from "./cel-bounds.ts";
import type { Schema } from "./schema.ts";

/** Upstream's limits, in its units. */
const RULE_LIMIT = 10_000_000;
const SCHEMA_LIMIT = 100_000_000;
/** Who has so much of it is named when the sum is too much, but not more than four. */
const NOTABLE = SCHEMA_LIMIT / 100;
const MAX_NAMED = 4;

/** How often a node may occur in one object; undefined when that has no limit of its own. */
export type Cardinality = number | undefined;

/** Of what is below a node that may occur `cardinality` times. */
export function cardinalityBelow(schema: Schema, cardinality: Cardinality): Cardinality {
  const { type, maxItems, maxProperties, additionalProperties } = schema;
  const factor = type === "array" ? maxItems : type === "object" && additionalProperties !== undefined ? maxProperties : 1;
  return cardinality === undefined || factor === undefined ? undefined : cardinality * Math.max(0, factor);
}

/** Collects the costs of a schema's expressions. */
export class RuleCosts {
  #total = 0;
  readonly #notable: { readonly path: string; readonly cost: number }[] = [];

  /** Of a rule that costs `cost` for each of the nodes with this schema. */
  addRule(path: string, cost: number, { schema, cardinality }: { schema: Schema; cardinality: Cardinality }): FieldError[] {
    // What has no limit occurs as often as the shortest of its kind fits into a request.
    const times = cardinality ?? Math.floor(MAX_REQUEST_BYTES / (minBytes(schema) + 1));
    return this.#add(path, cost === 0 ? 0 : cost * times, "estimated rule cost");
  }

  /** Of a message, which is made at most once. */
  addMessage(path: string, cost: number): FieldError[] {
    return this.#add(path, cost, "estimated messageExpression cost");
  }

  /** What is wrong with all of them together. */
  problems(path: string): FieldError[] {
    if (this.#total <= SCHEMA_LIMIT) return [];
    const why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    const most = this.#notable.sort((left, right) => right.cost - left.cost).slice(0, MAX_NAMED);
    const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    return [...most.map((one) => field.forbidden(one.path, why)), field.forbidden(path, exceeded(what, this.#total / SCHEMA_LIMIT))];
  }

  #add(path: string, cost: number, what: string): FieldError[] {
    this.#total += cost;
    if (cost >= NOTABLE) this.#notable.push({ path, cost });
    return cost > RULE_LIMIT ? [field.forbidden(path, exceeded(what, cost / RULE_LIMIT))] : [];
  }
}

function exceeded(what: string, factor: number): string {
  const shown = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  const advice = "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
  return `${what} exceeds budget by factor of ${shown} (${advice})`;
}
