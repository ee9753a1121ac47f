// What a ValidatingAdmissionPolicy says of a request: decisions of its validations, and notes for the audit log.
import { compileTo } from "../../../api/index.ts";
import type { ValidatingAdmissionPolicy } from "../../../api/types/admissionregistration/v1.ts";
import { CelEvaluationError, type CelProgram } from "../../../machinery/cel/index.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import { type CompiledParts, compileParts } from "./compiled-policy.ts";
import type { CostBudget } from "./cost-budget.ts";

interface CompiledValidation {
  readonly program: CelProgram;
  readonly messageProgram: CelProgram | undefined;
  readonly expression: string;
  readonly message: string;
  readonly reason: string;
}

interface CompiledAnnotation {
  readonly key: string;
  readonly expression: string;
  readonly program: CelProgram;
}

export interface CompiledValidatingPolicy extends CompiledParts {
  readonly validations: readonly CompiledValidation[];
  readonly auditAnnotations: readonly CompiledAnnotation[];
}

/** A validation that failed, by its place in the policy. */
export interface Failure {
  readonly index: number;
  readonly message: string;
  readonly reason: string;
}

export interface Verdict {
  readonly failures: readonly Failure[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Annotations that could not be computed. */
  readonly annotationErrors: readonly string[];
}

const MAX_MESSAGE_BYTES = 5 * 1024;

export function compileValidatingPolicy({ spec = {} }: DeepReadonly<ValidatingAdmissionPolicy>): CompiledValidatingPolicy {
  const parts = compileParts(spec);
  const environment = parts.environment();
  const forMessages = parts.environment({ hasAuthorizer: false });
  const validations = (spec.validations ?? []).map(({ expression, message = "", messageExpression = "", reason = "" }) => ({
    program: compileTo(environment, expression, ["bool"]),
    messageProgram: messageExpression === "" ? undefined : compileTo(forMessages, messageExpression, ["string"]),
    expression,
    message,
    reason: reason === "" ? "Invalid" : reason,
  }));
  const auditAnnotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
    key,
    expression: valueExpression,
    program: environment.compile(valueExpression),
  }));
  return { ...parts, validations, auditAnnotations };
}

/** `ignoresErrors` is failurePolicy Ignore: what cannot be evaluated counts as passed. */
export function evaluateValidations(
  { validations, auditAnnotations }: CompiledValidatingPolicy,
  variables: Readonly<Record<string, unknown>>,
  { budget, ignoresErrors }: { readonly budget: CostBudget; readonly ignoresErrors: boolean },
): Verdict {
  const failures: Failure[] = [];
  validations.forEach((validation, index) => {
    const result = attempt(budget, validation.program, variables);
    if (result.error !== undefined) {
      const message = `expression '${validation.expression}' resulted in error: ${result.error}`;
      if (!ignoresErrors) failures.push({ index, message, reason: "Invalid" });
    } else if (result.value !== true) {
      failures.push({ index, message: messageOf(validation, variables, budget), reason: validation.reason });
    }
  });
  const annotations: Record<string, string> = {};
  const annotationErrors: string[] = [];
  for (const { key, expression, program } of auditAnnotations) {
    const { value, error } = attempt(budget, program, variables);
    if (error !== undefined) annotationErrors.push(`expression '${expression}' resulted in error: ${error}`);
    else if (typeof value === "string" && value.trim() !== "") annotations[key] = value.trim();
  }
  return { failures, annotations, annotationErrors: ignoresErrors ? [] : annotationErrors };
}

function attempt(
  budget: CostBudget,
  program: CelProgram,
  variables: Readonly<Record<string, unknown>>,
): { readonly value?: unknown; readonly error?: string } {
  try {
    return { value: budget.evaluate(program, variables) };
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error;
    return { error: error.message };
  }
}

function messageOf(
  { messageProgram, message, expression }: CompiledValidation,
  variables: Readonly<Record<string, unknown>>,
  budget: CostBudget,
): string {
  const { value } = messageProgram === undefined ? {} : attempt(budget, messageProgram, variables);
  const computed = typeof value === "string" ? value.trim() : "";
  const isUsable = computed !== "" && !computed.includes("\n") && Buffer.byteLength(computed) <= MAX_MESSAGE_BYTES;
  if (isUsable) return computed;
  return message.trim() === "" ? `failed expression: ${expression.trim()}` : message.trim();
}
