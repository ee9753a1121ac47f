// What keeps an applied configuration from fitting its type's schema, in the words of upstream's schema library.
import { isObject } from "../patch-error.ts";
import { pathTexts } from "./field-set.ts";
import { elementName, hasElements, hasMembers, isDeclared, itemShape, memberShape, type Shape } from "./shape.ts";

/** Undeclared fields, list elements without their key, elements that stand twice; empty if the value fits. */
export function typedProblems(value: unknown, shape: Shape, path = ""): string[] {
  if (hasMembers(value, shape)) {
    return Object.entries(value).flatMap(([key, member]) => {
      const at = `${path}.${key}`;
      if (shape.kind === "object" && shape.type.isOpen !== true && !isDeclared(shape, key)) return [`${at}: field not declared in schema`];
      return typedProblems(member, memberShape(shape, key), at);
    });
  }
  return hasElements(value, shape) ? elementProblems(value, shape, path) : [];
}

function elementProblems(elements: readonly unknown[], shape: Shape, path: string): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, element] of elements.entries()) {
    const missing = missingKey(element, shape);
    if (missing !== undefined) {
      const what = "associative list with keys has an element that omits key field";
      problems.push(`${path}: element ${index}: ${what} ${JSON.stringify(missing)} (and doesn't have default value)`);
      continue;
    }
    const step = elementName(element, shape);
    const [text = ""] = pathTexts({ [step]: {} });
    if (seen.has(step)) problems.push(`${path}: duplicate entries for key ${text}`);
    seen.add(step);
    problems.push(...typedProblems(element, itemShape(shape), path + text));
  }
  return problems;
}

function missingKey(element: unknown, shape: Shape): string | undefined {
  if (shape.kind !== "list" || !isObject(element)) return undefined;
  return shape.keys.find(({ name, defaultValue }) => element[name] === undefined && defaultValue === undefined)?.name;
}
