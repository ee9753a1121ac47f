// The built-in resources: each row of the table joined with its kind's strategy.
import type { ResourceCatalog } from "./handler.ts";
import type { Resource } from "./resource.ts";
import { type ResourceRow, resourceRows, typeFacts } from "./schema/table.ts";
import { strategies } from "./strategies.ts";

function build(row: ResourceRow): Resource {
  return {
    ...row,
    apiVersion: row.group === "" ? row.version : `${row.group}/${row.version}`,
    listKind: `${row.kind}List`,
    singular: row.kind.toLowerCase(),
    facts: typeFacts(row.type),
    strategy: strategies[`${row.group}/${row.resource}`] ?? {},
  };
}

/** The catalog of built-in resources. */
export function builtInCatalog(): ResourceCatalog {
  const resources = resourceRows.map(build);
  const byId = new Map(resources.map((resource) => [`${resource.group}/${resource.version}/${resource.resource}`, resource]));
  return {
    find: (group, version, resource) => byId.get(`${group}/${version}/${resource}`),
    all: () => resources,
  };
}
