// The part of kubectl's JSONPath that definitions of custom resources may use for columns, selectable fields and scale:
// fields, indexes, slices, wildcards and filters by comparison. @see https://kubernetes.io/docs/reference/kubectl/jsonpath/

/** The text is no path; `message` says why. */
export class JsonPathError extends Error {
  readonly code = "ERR_JSON_PATH";
}

/** From some values to those one step further. */
type Step = (values: readonly unknown[]) => unknown[];

/** A compiled path. */
export interface JsonPath {
  /** Everything the path leads to. */
  find(value: unknown): unknown[];
  /** The names, when the path is nothing but fields (`.spec.replicas`); else undefined. */
  readonly fields: readonly string[] | undefined;
}

const fieldStep = /^\.((?:\\.|[^.[\]\\'"\s])+)/;
const quotedStep = /^\.?\[\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*\]/;
const indexStep = /^\.?\[\s*(-?\d+)\s*\]/;
const sliceStep = /^\.?\[\s*(-?\d*)\s*:\s*(-?\d*)\s*\]/;
const wildcardStep = /^(?:\.\*|\.?\[\s*\*\s*\])/;
const filterStep = /^\.?\[\?\(\s*@((?:[^=!<>)'"]|'[^']*'|"[^"]*")*?)\s*(?:(==|!=|<=|>=|<|>)\s*('[^']*'|"[^"]*"|[^)\s]+)\s*)?\)\]/;

/** Compiles a path such as `.status.conditions[?(@.type=="Ready")].status`. Throws JsonPathError. */
export function compileJsonPath(path: string): JsonPath {
  const steps: Step[] = [];
  const fields: string[] = [];
  let rest = path.startsWith("$") ? path.slice(1) : path;
  if (rest !== "" && !/^[.[]/.test(rest)) throw new JsonPathError(`unrecognized character in path: ${JSON.stringify(path)}`);
  if (rest === ".") rest = "";
  while (rest !== "") {
    const { step, length, field } = nextStep(rest);
    steps.push(step);
    if (field !== undefined) fields.push(field);
    rest = rest.slice(length);
  }
  const find = (value: unknown) => steps.reduce<unknown[]>((values, step) => step(values), [value]);
  return { find, fields: fields.length === steps.length ? fields : undefined };
}

function nextStep(text: string): { step: Step; length: number; field?: string } {
  const wildcard = wildcardStep.exec(text);
  if (wildcard !== null) return { step: flatMap(children), length: wildcard[0].length };
  const name = fieldStep.exec(text) ?? quotedStep.exec(text);
  if (name !== null) {
    const field = (name[1] ?? name[2] ?? "").replace(/\\(.)/g, "$1");
    return { step: flatMap((value) => member(value, field)), length: name[0].length, field };
  }
  const index = indexStep.exec(text);
  if (index !== null) return { step: flatMap((value) => slice(value, Number(index[1]))), length: index[0].length };
  const range = sliceStep.exec(text);
  if (range !== null) {
    const [start, end] = [range[1] === "" ? 0 : Number(range[1]), range[2] === "" ? undefined : Number(range[2])];
    return { step: flatMap((value) => (Array.isArray(value) ? value.slice(start, end) : [])), length: range[0].length };
  }
  const filter = filterStep.exec(text);
  if (filter === null) throw new JsonPathError(`unrecognized step in path: ${JSON.stringify(text)}`);
  const holds = condition(filter[1] ?? "", filter[2], filter[3]);
  return { step: flatMap((value) => (Array.isArray(value) ? value.filter(holds) : [])), length: filter[0].length };
}

function flatMap(step: (value: unknown) => readonly unknown[]): Step {
  return (values) => values.flatMap((value) => step(value));
}

function children(value: unknown): readonly unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}

function member(value: unknown, name: string): readonly unknown[] {
  if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return [];
  return [(value as Record<string, unknown>)[name]];
}

function slice(value: unknown, index: number): readonly unknown[] {
  const item = Array.isArray(value) ? value.at(index) : undefined;
  return item === undefined ? [] : [item];
}

function condition(path: string, operator: string | undefined, literal = ""): (item: unknown) => boolean {
  const inner = compileJsonPath(path);
  if (operator === undefined) return (item) => inner.find(item).length > 0;
  const wanted = literalValue(literal);
  return (item) => inner.find(item).some((found) => compares(found, operator, wanted));
}

function literalValue(literal: string): unknown {
  if (/^['"]/.test(literal)) return literal.slice(1, -1);
  if (literal === "true" || literal === "false") return literal === "true";
  return literal.trim() !== "" && !Number.isNaN(Number(literal)) ? Number(literal) : literal;
}

function compares(left: unknown, operator: string, right: unknown): boolean {
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left !== typeof right || (typeof left !== "number" && typeof left !== "string")) return false;
  const [a, b] = [left as number, right as number];
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}
