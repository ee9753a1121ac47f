// The operations of a resource as OpenAPI path items, without saying yet how bodies are written (v2 and v3 differ there).
import type { Resource } from "../../api/index.ts";
import type { TypeFacts } from "../../machinery/index.ts";
import { listFactsOf, subresourceFacts } from "./custom-types.ts";
import type { GroupVersionKind } from "./schema-builder.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly type: "string" | "integer" | "boolean";
  readonly isRequired: boolean;
}

export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly action: string;
  readonly operationId: string;
  readonly kind: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  readonly consumes: readonly string[];
  /** The type of the body; undefined for patches (any) and for none. */
  readonly body: TypeFacts | "patch" | "deleteOptions" | undefined;
  /** The type answered, undefined when it is no object of the API. */
  readonly answer: TypeFacts | "status" | undefined;
  readonly codes: readonly number[];
}

export interface PathItem {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
}

export const patchContentTypes: readonly string[] = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

const query = (name: string, type: Parameter["type"] = "string"): Parameter => ({ name, in: "query", type, isRequired: false });
const inPath = (name: string): Parameter => ({ name, in: "path", type: "string", isRequired: true });

const writeParameters = [query("dryRun"), query("fieldManager"), query("fieldValidation")];
const deleteParameters = [
  query("dryRun"),
  query("gracePeriodSeconds", "integer"),
  query("orphanDependents", "boolean"),
  query("propagationPolicy"),
];
const listParameters = [
  query("allowWatchBookmarks", "boolean"),
  query("continue"),
  query("fieldSelector"),
  query("labelSelector"),
  query("limit", "integer"),
  query("resourceVersion"),
  query("resourceVersionMatch"),
  query("sendInitialEvents", "boolean"),
  query("timeoutSeconds", "integer"),
  query("watch", "boolean"),
];

interface VerbShape {
  readonly method: Operation["method"];
  readonly action: string;
  readonly prefix: string;
  readonly parameters: readonly Parameter[];
  readonly codes: readonly number[];
}

const verbShapes: Readonly<Record<string, VerbShape>> = {
  list: { method: "get", action: "list", prefix: "list", parameters: listParameters, codes: [200] },
  create: { method: "post", action: "post", prefix: "create", parameters: writeParameters, codes: [200, 201, 202] },
  deletecollection: {
    method: "delete",
    action: "deletecollection",
    prefix: "deleteCollection",
    parameters: [...deleteParameters, ...listParameters],
    codes: [200],
  },
  get: { method: "get", action: "get", prefix: "read", parameters: [], codes: [200] },
  update: { method: "put", action: "put", prefix: "replace", parameters: writeParameters, codes: [200, 201] },
  patch: {
    method: "patch",
    action: "patch",
    prefix: "patch",
    parameters: [...writeParameters, query("force", "boolean")],
    codes: [200, 201],
  },
  delete: { method: "delete", action: "delete", prefix: "delete", parameters: deleteParameters, codes: [200, 202] },
};

const collectionVerbs = new Set(["list", "create", "deletecollection"]);

/** What a path speaks of. */
interface Subject {
  readonly kind: GroupVersionKind;
  readonly facts: TypeFacts | undefined;
  readonly listFacts: TypeFacts | undefined;
  readonly idSuffix: string;
  /** The content types of patches. */
  readonly patches: readonly string[];
}

/** The path items of `resource`; `typeOf` finds the facts of a type by its name, undefined when there are none. */
export function pathItems(resource: Resource, typeOf: (name: string) => TypeFacts | undefined): PathItem[] {
  const { group, version, kind, namespaced, verbs } = resource;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const collection = namespaced ? `${root}/namespaces/{namespace}/${resource.resource}` : `${root}/${resource.resource}`;
  const scope = namespaced ? [inPath("namespace"), query("pretty")] : [query("pretty")];
  const id = `${capitalized(group === "" ? "core" : (group.split(".")[0] ?? ""))}${capitalized(version)}${namespaced ? "Namespaced" : ""}${kind}`;
  const hasStrategicMerge = resource.strategy.allowsStrategicMerge !== false;
  const patches = patchContentTypes.filter((type) => hasStrategicMerge || !type.includes("strategic"));
  const subject: Subject = {
    kind: { group, version, kind },
    facts: resource.facts,
    listFacts: listFactsOf(resource, typeOf),
    idSuffix: id,
    patches,
  };
  const items: PathItem[] = [
    {
      path: collection,
      parameters: scope,
      operations: operationsOf(
        subject,
        verbs.filter((verb) => collectionVerbs.has(verb)),
      ),
    },
    {
      path: `${collection}/{name}`,
      parameters: [inPath("name"), ...scope],
      operations: operationsOf(
        subject,
        verbs.filter((verb) => !collectionVerbs.has(verb)),
      ),
    },
  ];
  if (namespaced && verbs.includes("list")) {
    const everywhere = { ...subject, idSuffix: `${id.replace("Namespaced", "")}ForAllNamespaces` };
    items.push({ path: `${root}/${resource.resource}`, parameters: [query("pretty")], operations: operationsOf(everywhere, ["list"]) });
  }
  for (const [name, row] of Object.entries(resource.subresources)) {
    const own = {
      kind: row,
      facts: subresourceFacts(resource, row.type, typeOf),
      listFacts: undefined,
      idSuffix: `${id}${capitalized(name)}`,
      patches,
    };
    items.push({ path: `${collection}/{name}/${name}`, parameters: [inPath("name"), ...scope], operations: operationsOf(own, row.verbs) });
  }
  return items.filter((item) => item.operations.length > 0);
}

function operationsOf({ kind, facts, listFacts, idSuffix, patches }: Subject, verbs: readonly string[]): Operation[] {
  const { group, version, kind: name } = kind;
  return verbs.flatMap((verb) => {
    const shape = verbShapes[verb];
    if (shape === undefined) return [];
    const { prefix, ...rest } = shape;
    const answer = verb === "list" ? listFacts : verb.startsWith("delete") ? "status" : facts;
    return [
      { ...rest, operationId: `${prefix}${idSuffix}`, kind: { group, version, kind: name }, ...bodyOf(verb, facts, patches), answer },
    ];
  });
}

function bodyOf(verb: string, facts: TypeFacts | undefined, patches: readonly string[]): Pick<Operation, "body" | "consumes"> {
  if (verb === "patch") return { body: "patch", consumes: patches };
  if (verb.startsWith("delete")) return { body: "deleteOptions", consumes: ["*/*"] };
  if (verb === "create" || verb === "update") return { body: facts, consumes: ["*/*"] };
  return { body: undefined, consumes: [] };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
