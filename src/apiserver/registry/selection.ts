// Which objects a list or watch is about: selectors made ready to judge entries.
import type { Resource, Stored } from "../../api/index.ts";
import {
  badRequest,
  type DeepReadonly,
  type FieldSelector,
  type KubeObject,
  type LabelSelectorMatcher,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
} from "../../machinery/index.ts";
import { storedResource } from "./key.ts";

export interface SelectionOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface Selection {
  /** Judges what is stored. Absent: all match. */
  readonly matches?: (entry: Pick<Stored, "object">) => boolean;
  /** Judges what is shown, where that has fields of its own that are selected by. */
  readonly matchesShown?: (shown: Pick<Stored, "object">) => boolean;
  /** The only name that can match. */
  readonly name?: string;
}

type Getter = (object: DeepReadonly<KubeObject>) => string;

const metadataGetters: Readonly<Record<string, Getter>> = {
  "metadata.name": ({ metadata }) => metadata.name ?? "",
  "metadata.namespace": ({ metadata }) => metadata.namespace ?? "",
};

export function parseSelection(resource: Resource, { labelSelector = "", fieldSelector = "" }: SelectionOptions): Selection {
  const labels = labelSelector === "" ? undefined : parse("labelSelector", labelSelector, parseLabelSelector);
  const fields = fieldSelector === "" ? undefined : parse("fieldSelector", fieldSelector, parseFieldSelector);
  const isShown = hasShownFields(resource);
  const matchesFields = fields === undefined || fields.isEverything ? undefined : fieldMatcher(resource, fields);
  const matchesLabels = labels === undefined || labels.isEverything ? undefined : labelMatcher(labels);
  const name = fields?.exactValue("metadata.name");
  return {
    ...combine(matchesLabels, isShown ? undefined : matchesFields),
    ...(isShown && matchesFields !== undefined ? { matchesShown: matchesFields } : {}),
    ...(name === undefined || name === "" ? {} : { name }),
  };
}

/** The one name that a field selector asks for. */
export function nameSelectedBy(fieldSelector: string): string | undefined {
  return /(?:^|,)metadata\.name==?([^,]+)/.exec(fieldSelector)?.[1];
}

type Matcher = NonNullable<Selection["matches"]>;

function combine(first: Matcher | undefined, second: Matcher | undefined): Selection {
  if (first === undefined) return second === undefined ? {} : { matches: second };
  return { matches: second === undefined ? first : (entry) => first(entry) && second(entry) };
}

function parse<T>(option: string, text: string, parser: (text: string) => T): T {
  try {
    return parser(text);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(`unable to parse ${option}: ${error.message}`);
    throw error;
  }
}

function labelMatcher(selector: LabelSelectorMatcher): Matcher {
  return (entry) => selector.matches(entry.object.metadata.labels);
}

/** Whether the version that is shown has selectable fields of its own, which may not be those of the stored one. */
function hasShownFields({ storedAs, strategy }: Resource): boolean {
  return storedAs?.resource !== undefined && strategy.selectableFields !== undefined;
}

function fieldMatcher(resource: Resource, selector: FieldSelector): Matcher {
  const { selectableFields: selectable } = hasShownFields(resource) ? resource.strategy : storedResource(resource).strategy;
  const getters = new Map<string, Getter>();
  for (const { field } of selector.terms) {
    const getter = metadataGetters[field] ?? (selectable?.[field] as Getter | undefined);
    if (getter === undefined) throw badRequest(`field label not supported: ${field}`);
    getters.set(field, getter);
  }
  return ({ object }) => selector.matches((field) => getters.get(field)?.(object) ?? "");
}
