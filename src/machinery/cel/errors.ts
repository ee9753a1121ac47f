// What goes wrong with a CEL expression: at compile time with a place in the source, at evaluation with a reason.

/** A problem of the source text, `offset` characters into it. */
export interface CelIssue {
  readonly offset: number;
  readonly message: string;
}

/** The expression is not valid CEL, or its types do not fit. `message` has every issue the way cel-go prints them. */
export class CelCompileError extends Error {
  readonly code = "CelCompileError";
  readonly issues: readonly CelIssue[];

  constructor(source: string, issues: readonly CelIssue[]) {
    super(`compilation failed: ${issues.map((issue) => renderIssue(source, issue)).join("\n")}`);
    this.issues = issues;
  }
}

/** The evaluation has no result: no such key, no such overload, division by zero. `message` is in cel-go's words. */
export class CelEvaluationError extends Error {
  readonly code: string = "CelEvaluationError";
}

/** The evaluation was stopped because it had done more than `costLimit` allows. No operator absorbs it. */
export class CelCostError extends CelEvaluationError {
  override readonly code = "CelCostError";

  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

function renderIssue(source: string, { offset, message }: CelIssue): string {
  const before = source.slice(0, offset).split("\n");
  const column = before.at(-1)?.length ?? 0;
  const line = source.split("\n")[before.length - 1] ?? "";
  return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${line}\n | ${".".repeat(column)}^`;
}
