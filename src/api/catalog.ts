// The built-in resources: each row of the table joined with its kind's strategy.
import type { ResourceCatalog } from "./handler.ts";
import type { Resource } from "./resource.ts";
import { type ResourceRow, resourceRows, typeFacts } from "./schema/table.ts";
import { conversions } from "./stored-as.ts";
import { strategies } from "./strategies.ts";

const idOf = ({ group, version, resource }: ResourceRow): string => `${group}/${version}/${resource}`;

function build(row: ResourceRow): Resource {
  return {
    ...row,
    apiVersion: row.group === "" ? row.version : `${row.group}/${row.version}`,
    listKind: `${row.kind}List`,
    singular: row.kind.toLowerCase(),
    facts: typeFacts(row.type),
    strategy: strategies[idOf(row)] ?? strategies[`${row.group}/${row.resource}`] ?? {},
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

/** The catalog of built-in resources. */
export function builtInCatalog(): ResourceCatalog {
  const plain = new Map(resourceRows.map((row) => [idOf(row), build(row)]));
  const resources = [...plain.values()].map((resource) => withStorage(resource, plain));
  const byId = new Map(resources.map((resource) => [idOf(resource), resource]));
  return {
    find: (group, version, resource) => byId.get(`${group}/${version}/${resource}`),
    all: () => resources,
  };
}
