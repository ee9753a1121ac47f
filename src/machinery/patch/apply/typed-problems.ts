// What keeps an applied configuration from fitting its type's schema, in the words of upstream's schema library.
import { isObject } from "../patch-error.ts";
import { pathTexts } from "./field-set.ts";
import { elementName, hasElements, hasMembers, isDeclared, itemShape, memberShape, type Shape } from "./shape.ts";

/** Undeclared fields, list elements without their key, elements that stand twice, by their paths; empty if the value fits. */
export function typedProblems(value: unknown, shape: Shape): string[] {
  if (hasElements(value, shape)) return elementProblems(value, shape);
  const problems: string[] = [];
  if (!hasMembers(value, shape)) return problems;
  for (const key in value) {
    if (shape.kind === "object" && shape.type.isOpen !== true && !isDeclared(shape, key)) {
      problems.push(`.${key}: field not declared in schema`);
    } else for (const problem of typedProblems(value[key], memberShape(shape, key))) problems.push(`.${key}${problem}`);
  }
  return problems;
}

function elementProblems(elements: readonly unknown[], shape: Shape): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, element] of elements.entries()) {
    const missing = missingKey(element, shape);
    if (missing !== undefined) {
      const what = "associative list with keys has an element that omits key field";
      problems.push(`: element ${index}: ${what} ${JSON.stringify(missing)} (and doesn't have default value)`);
      continue;
    }
    const step = elementName(element, shape);
    if (seen.has(step)) problems.push(`: duplicate entries for key ${textOf(step)}`);
    seen.add(step);
    for (const problem of typedProblems(element, itemShape(shape))) problems.push(`${textOf(step)}${problem}`);
  }
  return problems;
}

function textOf(step: string): string {
  return pathTexts({ [step]: {} })[0] ?? "";
}

function missingKey(element: unknown, shape: Shape): string | undefined {
  if (shape.kind !== "list" || !isObject(element)) return undefined;
  return shape.keys.find(({ name, defaultValue }) => element[name] === undefined && defaultValue === undefined)?.name;
}
