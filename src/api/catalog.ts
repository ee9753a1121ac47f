// The built-in resources, each row of the table joined with its kind's strategy, and beside them those that come at run time.
import type { ResourceCatalog } from "./handler.ts";
import type { Resource } from "./resource.ts";
import { type ResourceRow, resourceRows, typeFacts } from "./schema/table.ts";
import { conversions } from "./stored-as.ts";
import { strategies } from "./strategies.ts";

const idOf = ({ group, version, resource }: ResourceRow): string => `${group}/${version}/${resource}`;

function build(row: ResourceRow): Resource {
  const strategy = strategies[idOf(row)] ?? strategies[`${row.group}/${row.resource}`] ?? {};
  const { deprecationWarning } = strategy;
  return {
    ...row,
    apiVersion: row.group === "" ? row.version : `${row.group}/${row.version}`,
    listKind: `${row.kind}List`,
    singular: row.kind.toLowerCase(),
    facts: typeFacts(row.type),
    strategy,
    ...(deprecationWarning === undefined ? {} : { deprecationWarning }),
  };
}

/** `resource`, told where its objects are kept if that is elsewhere. */
function withStorage(resource: Resource, byId: ReadonlyMap<string, Resource>): Resource {
  const conversion = conversions[idOf(resource)];
  const stored = conversion && byId.get(conversion.storedId);
  if (!conversion || !stored) return resource;
  const { toStored, fromStored } = conversion;
  return { ...resource, storedAs: { resource: stored, toStored, fromStored } };
}

/** A catalog of fixed resources and of custom ones, which can be replaced. A custom resource never hides a fixed one. */
export class GrowingCatalog implements ResourceCatalog {
  readonly #fixed: readonly Resource[];
  #all: readonly Resource[];
  #byId: ReadonlyMap<string, Resource>;

  constructor(fixed: readonly Resource[]) {
    this.#fixed = fixed;
    this.#all = fixed;
    this.#byId = new Map(fixed.map((resource) => [idOf(resource), resource]));
  }

  find(group: string, version: string, resource: string): Resource | undefined {
    return this.#byId.get(`${group}/${version}/${resource}`);
  }

  /** The same list until the custom resources change. */
  all(): readonly Resource[] {
    return this.#all;
  }

  /** Serves exactly these custom resources from now on. */
  setCustom(custom: readonly Resource[]): void {
    this.#all = [...this.#fixed, ...custom];
    this.#byId = new Map(this.#all.toReversed().map((resource) => [idOf(resource), resource]));
  }
}

/** The catalog of built-in resources. */
export function builtInCatalog(): GrowingCatalog {
  const plain = new Map(resourceRows.map((row) => [idOf(row), build(row)]));
  return new GrowingCatalog([...plain.values()].map((resource) => withStorage(resource, plain)));
}
