// Label selectors ready to judge labels: from text, from metav1.LabelSelector, from a plain set.
import type { DeepReadonly } from "../meta/object.ts";
import type { LabelSelector } from "../meta/types.ts";
import { parseRequirements } from "./parser.ts";
import {
  type Labels,
  newRequirement,
  type Requirement,
  type RequirementOperator,
  requirementMatches,
  requirementText,
  SelectorError,
} from "./requirement.ts";

export interface LabelSelectorMatcher {
  matches(labels: Labels): boolean;
  readonly requirements: readonly Requirement[];
  readonly isEverything: boolean;
  readonly isNothing: boolean;
  /** The value that the selector demands of `key`, if it demands one single value. */
  exactValue(key: string): string | undefined;
  /** Text that `parseLabelSelector` understands. */
  toString(): string;
}

class RequirementsMatcher implements LabelSelectorMatcher {
  readonly requirements: readonly Requirement[];
  readonly isNothing = false;

  constructor(requirements: readonly Requirement[]) {
    this.requirements = requirements;
  }

  get isEverything(): boolean {
    return this.requirements.length === 0;
  }

  matches(labels: Labels): boolean {
    for (const requirement of this.requirements) if (!requirementMatches(requirement, labels)) return false;
    return true;
  }

  exactValue(key: string): string | undefined {
    const found = this.requirements.find((requirement) => requirement.key === key);
    if (found === undefined || found.values.length !== 1) return undefined;
    return found.operator === "=" || found.operator === "==" || found.operator === "in" ? found.values[0] : undefined;
  }

  toString(): string {
    return this.requirements.map(requirementText).join(",");
  }
}

/** Matches all labels. */
export const everythingSelector: LabelSelectorMatcher = new RequirementsMatcher([]);

/** Matches no labels. */
export const nothingSelector: LabelSelectorMatcher = {
  matches: () => false,
  requirements: [],
  isEverything: false,
  isNothing: true,
  exactValue: () => undefined,
  toString: () => "",
};

/** Throws SelectorError with upstream's text. */
export function parseLabelSelector(text: string): LabelSelectorMatcher {
  return text === "" ? everythingSelector : new RequirementsMatcher(parseRequirements(text));
}

const operators: Readonly<Record<string, RequirementOperator>> = { In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "!" };

/** Nothing for undefined, everything for an empty selector. Throws SelectorError on an invalid one. */
export function labelSelectorMatcher(selector: DeepReadonly<LabelSelector> | undefined): LabelSelectorMatcher {
  if (selector === undefined) return nothingSelector;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) requirements.push(newRequirement(key, "=", [value]));
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = operators[operator];
    if (known === undefined) throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push(newRequirement(key, known, values));
  }
  return requirements.length === 0 ? everythingSelector : new RequirementsMatcher(sortedByKey(requirements));
}

/** Selects what has all of `labels` (a Service's or ReplicationController's selector); everything if there are none. */
export function labelSetMatcher(labels: Labels): LabelSelectorMatcher {
  const requirements = Object.entries(labels ?? {}).map(([key, value]): Requirement => ({ key, operator: "=", values: [value] }));
  return requirements.length === 0 ? everythingSelector : new RequirementsMatcher(sortedByKey(requirements));
}

function sortedByKey(requirements: Requirement[]): Requirement[] {
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** metav1.FormatLabelSelector: `<none>` for what selects nothing or everything, `<error>` for an invalid selector. */
export function formatLabelSelector(selector: DeepReadonly<LabelSelector> | undefined): string {
  try {
    return labelSelectorMatcher(selector).toString() || "<none>";
  } catch (error) {
    if (error instanceof SelectorError) return "<error>";
    throw error;
  }
}
