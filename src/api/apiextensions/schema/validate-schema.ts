// Everything that must hold for the schema of a version: structure, defaults that fit, rules that compile.
import { type FieldError, field } from "../../../machinery/index.ts";
import { celBoundOf } from "./cel-bounds.ts";
import { compileRule } from "./cel-rules.ts";
import { celTypeOf } from "./cel-types.ts";
import { applySchemaDefaults } from "./defaults.ts";
import { pruneCustomResource } from "./prune.ts";
import { type Cardinality, cardinalityBelow, RuleCosts } from "./rule-costs.ts";
import { childSchemas, isObject, type Schema } from "./schema.ts";
import { validateStructural } from "./structural.ts";
import { validateValue } from "./validate-value.ts";

const reasons = ["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"];

/** All problems of a schema; defaults and rules are looked at only in a schema that is structural. */
export function validateSchema(schema: Schema, path: string, { hasOldRules = false }: { hasOldRules?: boolean } = {}): FieldError[] {
  const structure = validateStructural(schema, path);
  if (structure.length > 0) return structure;
  const costs = hasOldRules ? undefined : new RuleCosts();
  const problems = nodeProblems(schema, { path, name: "self", isRoot: true, cardinality: 1, costs });
  return [...problems, ...(costs?.problems(path) ?? [])];
}

interface Node {
  readonly path: string;
  readonly name: string;
  readonly isRoot: boolean;
  readonly cardinality: Cardinality;
  /** Absent when it does not matter what rules cost. */
  readonly costs: RuleCosts | undefined;
}

function nodeProblems(schema: Schema, node: Node): FieldError[] {
  const { path, name, isRoot, costs } = node;
  const own = [...defaultProblems(schema, { path, isRoot }), ...ruleProblems(schema, node)];
  const cardinality = cardinalityBelow(schema, node.cardinality);
  const below = [...childSchemas(schema, path)].flatMap((child, index) =>
    nodeProblems(child.schema, { path: child.path, name: `${name}.${index}`, isRoot: false, cardinality, costs }),
  );
  return [...own, ...below];
}

function defaultProblems(schema: Schema, { path, isRoot }: { path: string; isRoot: boolean }): FieldError[] {
  if (schema.default === undefined) return [];
  const at = `${path}.default`;
  if (isRoot) return [field.forbidden(at, "must not be set at the root")];
  const value = structuredClone(schema.default);
  if (isObject(value)) applySchemaDefaults(value, schema);
  const unknown = isObject(value) ? unknownIn(value, schema) : [];
  if (unknown.length > 0) return [field.invalid(at, schema.default, `must not have unknown fields: ${unknown.join(", ")}`)];
  return validateValue(value, schema, { path: at });
}

/** An object as default may have no fields that pruning would take away. */
function unknownIn(value: Record<string, unknown>, schema: Schema): readonly string[] {
  return pruneCustomResource({ value: structuredClone(value) }, { type: "object", properties: { value: schema } }).unknown;
}

function ruleProblems(schema: Schema, { path, name, isRoot, cardinality, costs }: Node): FieldError[] {
  const rules = schema["x-kubernetes-validations"] ?? [];
  if (rules.length === 0) return [];
  const type = celTypeOf(schema, name, { isRoot });
  const bound = celBoundOf(schema, { isRoot });
  const bounds = { self: bound, oldSelf: bound };
  return rules.flatMap((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    const errors: FieldError[] = [];
    if (rule.rule === undefined || rule.rule.trim() === "") return [field.required(`${at}.rule`, "rule is not specified")];
    if (rule.message !== undefined && rule.message !== "" && rule.message.trim() === "")
      errors.push(field.invalid(`${at}.message`, rule.message, "message must be non-empty if specified"));
    else if (rule.message?.trim().includes("\n") === true)
      errors.push(field.invalid(`${at}.message`, rule.message, "message must not contain line breaks"));
    if (rule.message === undefined && rule.rule.trim().includes("\n"))
      errors.push(field.required(`${at}.message`, "message must be specified if rule contains line breaks"));
    if (rule.reason !== undefined && !reasons.includes(rule.reason)) errors.push(field.notSupported(`${at}.reason`, rule.reason, reasons));
    const compiled = compileRule(rule, type);
    if ("program" in compiled) {
      const { program, message } = compiled;
      errors.push(...(costs?.addRule(`${at}.rule`, program.maxCost(bounds), { schema, cardinality }) ?? []));
      if (message !== undefined) errors.push(...(costs?.addMessage(`${at}.messageExpression`, message.maxCost(bounds)) ?? []));
    } else {
      for (const { part, message } of compiled)
        errors.push(field.invalid(`${at}.${part}`, part === "rule" ? rule.rule : rule.messageExpression, message));
    }
    return errors;
  });
}
