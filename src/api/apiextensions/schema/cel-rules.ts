// x-kubernetes-validations: rules compiled once for a schema, then evaluated on every write.
// @see kubernetes `apiextensions-apiserver/pkg/apiserver/schema/cel`
import {
  CelCompileError,
  CelCostError,
  CelEnvironment,
  CelEvaluationError,
  type CelProgram,
  type CelType,
  deepEqual,
  type FieldError,
  field,
  optionalOf,
} from "../../../machinery/index.ts";
import type { ValidationRule } from "../../types/apiextensions/v1.ts";
import { celTypeOf } from "./cel-types.ts";
import { correlated } from "./correlate.ts";
import { isObject, itemsOf, memberOf, type Schema } from "./schema.ts";
import { join, jsonType } from "./validate-value.ts";

/** A rule ready to run. */
interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program: CelProgram;
  readonly message: CelProgram | undefined;
  /** Looks at what stood before. */
  readonly isTransition: boolean;
}

/** Why a rule cannot be used; `part` is the field of the rule that is wrong. */
export interface RuleProblem {
  readonly part: "rule" | "messageExpression";
  readonly message: string;
}

/** What all rules of one object may cost together, in upstream's units. */
const objectCostBudget = 10_000_000;

/** Compiles one rule of a node. Throws nothing: problems come back as data. */
export function compileRule(rule: ValidationRule, self: CelType): CompiledRule | readonly RuleProblem[] {
  const environment = new CelEnvironment({ variables: { self, oldSelf: rule.optionalOldSelf === true ? optionalOf(self) : self } });
  const problems: RuleProblem[] = [];
  const program = attempt(environment, rule.rule, { part: "rule", type: "bool", problems });
  const message =
    rule.messageExpression === undefined || rule.messageExpression === ""
      ? undefined
      : attempt(environment, rule.messageExpression, { part: "messageExpression", type: "string", problems });
  if (program === undefined || problems.length > 0) return problems;
  return { rule, program, message, isTransition: program.uses("oldSelf") };
}

function attempt(
  environment: CelEnvironment,
  text: string,
  { part, type, problems }: { part: RuleProblem["part"]; type: string; problems: RuleProblem[] },
): CelProgram | undefined {
  try {
    const program = environment.compile(text);
    if (program.resultType === type) return program;
    problems.push({
      part,
      message: part === "rule" ? "cel expression must evaluate to a bool" : "messageExpression must evaluate to a string",
    });
  } catch (err) {
    if (!(err instanceof CelCompileError)) throw err;
    problems.push({
      part,
      message: part === "rule" ? err.message : `messageExpression compilation failed: ${err.message.replace(/^compilation failed: /, "")}`,
    });
  }
  return undefined;
}

/** The rules of a node and of all nodes below it; undefined when there is none. */
export interface RuleTree {
  readonly schema: Schema;
  readonly rules: readonly CompiledRule[];
  readonly members: ReadonlyMap<string, RuleTree>;
  readonly each: RuleTree | undefined;
}

/** Compiles all rules of a valid schema. */
export function compileRules(schema: Schema, { name, isRoot = false }: { name: string; isRoot?: boolean }): RuleTree | undefined {
  const own = schema["x-kubernetes-validations"] ?? [];
  const type = own.length === 0 ? "dyn" : celTypeOf(schema, name, { isRoot });
  const rules = own.map((rule) => compileRule(rule, type)).filter((compiled): compiled is CompiledRule => "program" in compiled);
  const members = new Map<string, RuleTree>();
  for (const [property, child] of Object.entries(schema.properties ?? {})) {
    const tree = compileRules(child, { name: `${name}.${property}` });
    if (tree !== undefined) members.set(property, tree);
  }
  const below = itemsOf(schema) ?? (isObject(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined);
  const each = below && compileRules(below, { name: `${name}.@each` });
  return rules.length === 0 && members.size === 0 && each === undefined ? undefined : { schema, rules, members, each };
}

/** Evaluates all rules on a value that fits its schema; `old` is what stands now, where there is something. */
export function evaluateRules(tree: RuleTree, value: unknown, old: unknown): FieldError[] {
  return new RuleRun().node(tree, value, { old, path: "" });
}

interface Position {
  readonly old: unknown;
  readonly path: string;
}

/** One evaluation of all rules: they share a budget. */
class RuleRun {
  #budget = objectCostBudget;

  node(tree: RuleTree, value: unknown, position: Position): FieldError[] {
    if (this.#budget < 0 || value === null) return [];
    const own = tree.rules.flatMap((rule) => this.#evaluate(rule, tree.schema, value, position));
    return [...own, ...this.#below(tree, value, position)];
  }

  #below(tree: RuleTree, value: unknown, { old, path }: Position): FieldError[] {
    const { each, members, schema } = tree;
    if (Array.isArray(value))
      return each === undefined
        ? []
        : value.flatMap((item, index) => this.node(each, item, { old: correlated(schema, old, item), path: `${path}[${index}]` }));
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([name, member]) => {
      const below =
        members.get(name) ?? (memberOf(schema, name) === undefined || Object.hasOwn(schema.properties ?? {}, name) ? undefined : each);
      return below === undefined ? [] : this.node(below, member, { old: isObject(old) ? old[name] : undefined, path: join(path, name) });
    });
  }

  #evaluate({ rule, program, message, isTransition }: CompiledRule, schema: Schema, value: unknown, { old, path }: Position): FieldError[] {
    if (this.#budget < 0 || (isTransition && old === undefined && rule.optionalOldSelf !== true)) return [];
    // What is as it was is not judged again, unless the rule is about the change itself.
    if (!isTransition && old !== undefined && deepEqual(value, old)) return [];
    const variables = { self: value, oldSelf: old };
    const type = schema.type ?? jsonType(value);
    try {
      const { value: holds, cost } = program.measure(variables);
      this.#budget -= cost;
      if (this.#budget < 0)
        return [field.invalid(path, type, "validation failed due to running out of cost budget, no further validation rules will be run")];
      return holds === true ? [] : [failure(rule, { path, value, detail: messageOf(rule, message, variables) })];
    } catch (err) {
      if (!(err instanceof CelEvaluationError)) throw err;
      if (err instanceof CelCostError) this.#budget = -1;
      return [field.invalid(path, type, evaluationProblem(err, rule))];
    }
  }
}

function ruleText({ rule, message }: ValidationRule): string {
  return message === undefined || message === "" ? `failed rule: ${rule.trim()}` : message.trim();
}

function messageOf(rule: ValidationRule, expression: CelProgram | undefined, variables: Readonly<Record<string, unknown>>): string {
  if (expression === undefined) return ruleText(rule);
  try {
    const text = String(expression.evaluate(variables)).trim();
    return text === "" || text.includes("\n") || text.length > 5120 ? ruleText(rule) : text;
  } catch (err) {
    if (err instanceof CelEvaluationError) return ruleText(rule);
    throw err;
  }
}

function evaluationProblem(err: CelEvaluationError, rule: ValidationRule): string {
  if (err instanceof CelCostError)
    return `'${err.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`;
  if (err.message.startsWith("no such overload"))
    return `'${err.message}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`;
  return `${err.message} evaluating rule: ${ruleText(rule)}`;
}

function failure(
  { reason, fieldPath = "" }: ValidationRule,
  { path, value, detail }: { path: string; value: unknown; detail: string },
): FieldError {
  const at = path === "" ? fieldPath.replace(/^\./, "") : path + fieldPath;
  const omitted = typeof value === "object" ? { omitsValue: true } : {};
  switch (reason) {
    case "FieldValueForbidden":
      return field.forbidden(at, detail);
    case "FieldValueRequired":
      return field.required(at, detail);
    case "FieldValueDuplicate":
      return { ...field.duplicate(at, value), ...omitted, detail };
    default:
      return { ...field.invalid(at, value, detail), ...omitted };
  }
}
