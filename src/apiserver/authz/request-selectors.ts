// What a request selects, as authorizers see it, and in the form of a SubjectAccessReview.
// @see kubernetes `apiserver/pkg/endpoints/filters/authorization.go`, `pkg/registry/authorization/util/helpers.go`
import type { FieldSelectorAttributes, LabelSelectorAttributes } from "../../api/types/authorization/v1.ts";
import {
  type DeepReadonly,
  type FieldTerm,
  labelSelectorMatcher,
  parseFieldSelector,
  parseLabelSelector,
  type Requirement,
  SelectorError,
} from "../../machinery/index.ts";

/** What can be told of a request's selectors; what is not understood is left out, as if everything were selected. */
export interface RequestSelectors {
  readonly fieldRequirements?: readonly FieldTerm[];
  readonly labelRequirements?: readonly Requirement[];
}

export interface SelectorTexts {
  readonly fieldSelector?: string | undefined;
  readonly labelSelector?: string | undefined;
}

/** The verbs whose requests select. */
const SELECTING: ReadonlySet<string> = new Set(["list", "watch", "deletecollection"]);
const NONE: RequestSelectors = {};

export function requestSelectors(verb: string, { fieldSelector = "", labelSelector = "" }: SelectorTexts): RequestSelectors {
  if ((fieldSelector === "" && labelSelector === "") || !SELECTING.has(verb)) return NONE;
  return present({
    fieldRequirements: unlessWrong(() => parseFieldSelector(fieldSelector).terms) ?? [],
    labelRequirements: unlessWrong(() => parseLabelSelector(labelSelector).requirements) ?? [],
  });
}

/** The selectors of a SubjectAccessReview's resourceAttributes, and what of them was passed over. */
export function reviewedSelectors(
  fields: DeepReadonly<FieldSelectorAttributes> | undefined,
  labels: DeepReadonly<LabelSelectorAttributes> | undefined,
): { readonly selectors: RequestSelectors; readonly problems: readonly string[] } {
  const fieldRequirements = fields?.rawSelector ? parsed(fields.rawSelector, readFields) : each(fields?.requirements ?? [], fieldTerm);
  const labelRequirements = labels?.rawSelector
    ? parsed(labels.rawSelector, readLabels)
    : each(labels?.requirements ?? [], (one) => labelSelectorMatcher({ matchExpressions: [one] }).requirements[0]);
  const selectors = { fieldRequirements: fieldRequirements.understood, labelRequirements: labelRequirements.understood };
  const problems = [problemOf("fieldSelector", fieldRequirements), problemOf("labelSelector", labelRequirements)];
  return { selectors: present(selectors), problems: problems.flat() };
}

/** `fieldSelector` and `labelSelector` of a SubjectAccessReview's resourceAttributes. */
export function selectorAttributes({ fieldRequirements, labelRequirements = [] }: RequestSelectors) {
  const fields = fieldRequirements?.map(({ field, operator, value }) => ({ key: field, operator: OPERATORS[operator], values: [value] }));
  const labels = labelRequirements.flatMap(({ key, operator, values }) => {
    const known = operator === "gt" || operator === "lt" ? undefined : OPERATORS[operator];
    return known === undefined ? [] : [{ key, operator: known, ...(values.length === 0 ? {} : { values: [...values].sort() }) }];
  });
  return {
    ...(fields === undefined ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }),
  };
}

const OPERATORS = { "=": "In", "==": "In", in: "In", "!=": "NotIn", notin: "NotIn", exists: "Exists", "!": "DoesNotExist" } as const;

interface Parsed<T> {
  readonly understood: readonly T[];
  readonly hasFailed: boolean;
}

const readFields = (text: string) => parseFieldSelector(text).terms;
const readLabels = (text: string) => parseLabelSelector(text).requirements;

function parsed<T>(text: string, read: (text: string) => readonly T[]): Parsed<T> {
  const understood = unlessWrong(() => read(text));
  return { understood: understood ?? [], hasFailed: understood === undefined };
}

function each<T, R>(items: readonly T[], read: (item: T) => R | undefined): Parsed<R> {
  const understood = items.flatMap((item) => unlessWrong(() => read(item)) ?? []);
  return { understood, hasFailed: understood.length < items.length };
}

/** A field has one value: what is in several, or there at all, cannot be told as a term. */
function fieldTerm({ key, operator, values = [] }: DeepReadonly<{ key: string; operator: string; values?: string[] | undefined }>) {
  const [value] = values;
  if (value === undefined || values.length > 1 || (operator !== "In" && operator !== "NotIn")) return undefined;
  return { field: key, operator: operator === "In" ? "=" : "!=", value } as const;
}

function problemOf(name: string, { understood, hasFailed }: Parsed<unknown>): string[] {
  if (!hasFailed) return [];
  return [`spec.resourceAttributes.${name} ${understood.length > 0 ? "partially ignored" : "ignored"} due to parse error`];
}

/** Without the lists that are empty. */
function present({ fieldRequirements = [], labelRequirements = [] }: RequestSelectors): RequestSelectors {
  return {
    ...(fieldRequirements.length === 0 ? {} : { fieldRequirements }),
    ...(labelRequirements.length === 0 ? {} : { labelRequirements }),
  };
}

function unlessWrong<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}
