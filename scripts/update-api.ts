// Makes the API table (src/api/schema/table.json) and the TypeScript types (src/api/types, src/machinery/meta/types.ts)
// from Kubernetes' OpenAPI v2 document and its generated.proto files. Facts only: no description text is taken over.
//
// usage: scripts/node scripts/update-api.ts <openapi-v2.json> <proto directory>
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import protobuf from "protobufjs";
import { extraResourceFacts, fieldsWithoutZero, includedGroupVersions, includedResources, promotedGroupVersions } from "./api-facts.ts";

interface OpenApiProperty {
  type?: string;
  format?: string;
  $ref?: string;
  items?: OpenApiProperty;
  additionalProperties?: OpenApiProperty;
  [extension: `x-kubernetes-${string}`]: unknown;
}
interface OpenApiDefinition extends OpenApiProperty {
  properties?: Record<string, OpenApiProperty>;
  required?: string[];
}
interface OpenApiOperation {
  "x-kubernetes-action"?: string;
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string };
}
interface OpenApiDocument {
  definitions: Record<string, OpenApiDefinition>;
  paths: Record<string, Record<string, OpenApiOperation>>;
}

/** One field in the committed table; short keys keep the table small. See `FieldRow` in src/api/schema. */
interface FieldRow {
  t: string;
  req?: 1;
  list?: string;
  keys?: string[];
  map?: string;
  strategy?: string[];
  merge?: string;
  def?: unknown;
  nz?: 1;
  pb?: number;
  in?: number[];
  or?: string;
}

const [openApiPath, protoDirectory] = process.argv.slice(2);
if (openApiPath === undefined || protoDirectory === undefined) {
  console.error("usage: update-api.ts <openapi-v2.json> <proto directory>");
  process.exit(2);
}
const document = JSON.parse(readFileSync(openApiPath, "utf8")) as OpenApiDocument;
/** The values of `+default=` markers, by field; OpenAPI v2 leaves them out. */
const protoDefaults = new Map<string, unknown>();
/** A message's fields by their names in small letters without punctuation: `x-kubernetes-…` and `xKubernetes…` meet there. */
const protoMessages = new Map<string, Map<string, ProtoField>>();
readProtos(protoDirectory);
// What the stable groups' files do not have.
readProtos(join(import.meta.dirname, "proto"));
for (const promoted of promotedGroupVersions) promote(promoted);

const OPAQUE: Record<string, string> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microTime",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "any",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
};

/** Types that are one thing or another in JSON, and a message with a field for each in protobuf. */
const unions: Record<string, string> = {
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "list",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "boolean",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "strings",
};

/** Plurals that two groups or versions share, and how `resources` calls the second one. */
const SHARED_PLURALS: Record<string, string> = {
  "events.k8s.io/v1/events": "eventsV1",
  "autoscaling/v1/horizontalpodautoscalers": "horizontalpodautoscalersV1",
  "certificates.k8s.io/v1/clustertrustbundles": "clustertrustbundlesV1",
  "certificates.k8s.io/v1/podcertificaterequests": "podcertificaterequestsV1",
  "storagemigration.k8s.io/v1/storageversionmigrations": "storageversionmigrationsV1",
};

const resources = readResources();
const typeNames = reachableTypes();
writeTable();
writeTypes();
writeRefs();

interface ProtoField {
  number: number;
  /** The full name of the message that it is, if it is one in the same package. */
  message: string;
}

function readProtos(directory: string): void {
  for (const file of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".proto")) continue;
    collect(protobuf.parse(readFileSync(join(directory, file), "utf8"), { keepCase: true, alternateCommentMode: true }).root, "");
  }

  function collect(namespace: protobuf.NamespaceBase, prefix: string): void {
    for (const nested of namespace.nestedArray) {
      const name = prefix === "" ? nested.name : `${prefix}.${nested.name}`;
      if (nested instanceof protobuf.Type) {
        const fields = new Map<string, ProtoField>();
        protoMessages.set(name, fields);
        for (const field of nested.fieldsArray) {
          const message = field.type.includes(".") ? field.type.replace(/^\./, "") : `${prefix}.${field.type}`;
          fields.set(plainName(field.name), { number: field.id, message });
          const literal = /^\+default=("[^"]*"|\d+|true|false)$/m.exec(field.comment ?? "")?.[1];
          if (literal !== undefined) protoDefaults.set(`${name}.${field.name}`, JSON.parse(literal));
        }
      } else if (nested instanceof protobuf.Namespace) collect(nested, name);
    }
  }
}

/** Adds the stable version of beta kinds to the document, as far as the stable version's messages know them. */
function promote({ group, definitions, beta }: (typeof promotedGroupVersions)[number]): void {
  const [from, to] = [`${definitions}.${beta}.`, `${definitions}.v1.`];
  const stable = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value).replaceAll(from, to).replaceAll(`"version":"${beta}"`, '"version":"v1"'));
  for (const [name, definition] of Object.entries(document.definitions)) {
    const message = protoMessages.get(protoName(name.replace(from, to)));
    if (!name.startsWith(from) || message === undefined) continue;
    const known = Object.entries(definition.properties ?? {}).filter(([field]) => isTypeMeta(field) || message.has(plainName(field)));
    document.definitions[name.replace(from, to)] ??= stable({ ...definition, properties: Object.fromEntries(known) });
  }
  for (const [path, operations] of Object.entries(document.paths)) {
    if (path.startsWith(`/apis/${group}/${beta}/`)) document.paths[path.replace(`/${beta}/`, "/v1/")] ??= stable(operations);
  }
}

function isTypeMeta(field: string): boolean {
  return field === "apiVersion" || field === "kind";
}

function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
}

/** A field's number; `in` leads to the message that Go embeds in the type and JSON does not show. */
function protoPlace(message: string, field: string, shown: ReadonlySet<string>): { pb?: number; in?: number[] } {
  const fields = protoMessages.get(message);
  const own = fields?.get(plainName(field));
  if (own !== undefined) return { pb: own.number };
  for (const [name, embedding] of fields ?? []) {
    const inner = shown.has(name) ? {} : protoPlace(embedding.message, field, shown);
    if (inner.pb !== undefined) return { pb: inner.pb, in: [embedding.number, ...(inner.in ?? [])] };
  }
  return {};
}

/** OpenAPI names say `io.k8s.api.core.v1.Pod` where protobuf says `k8s.io.api.core.v1.Pod`. */
function protoName(definition: string): string {
  return definition.replace(/^io\.k8s\.(api|apimachinery|kube-aggregator|apiextensions-apiserver)\./, (_, pkg: string) => {
    return `k8s.io.${pkg.replaceAll("-", "_")}.`;
  });
}

function readResources() {
  const byName = new Map<string, ReturnType<typeof emptyResource>>();
  for (const [path, operations] of Object.entries(document.paths)) {
    const match = /^\/(?:api|apis\/([^/]+))\/(v[^/]+)\/(namespaces\/\{namespace\}\/)?([^/{}]+)(?:\/\{name\})?(?:\/([^/{}]+))?$/.exec(path);
    if (match === null || path.includes("/watch/")) continue;
    const [, group = "", version = "", namespaced, pathResource = "", pathSubresource] = match;
    const isNamespaceItself = path.startsWith("/api/v1/namespaces");
    let resource = pathResource;
    let subresource = pathSubresource;
    if (isNamespaceItself && namespaced === undefined) resource = "namespaces";
    if (isNamespaceItself && path === "/api/v1/namespaces/{name}/finalize") subresource = "finalize";
    if (!includedGroupVersions.has(`${group}/${version}`) && !includedResources.has(`${group}/${version}/${resource}`)) continue;
    for (const operation of Object.values(operations)) {
      const gvk = operation?.["x-kubernetes-group-version-kind"];
      const action = operation?.["x-kubernetes-action"];
      if (gvk === undefined || action === undefined) continue;
      const id = `${group}/${version}/${resource}`;
      let row = byName.get(id);
      if (row === undefined) byName.set(id, (row = emptyResource(group, version, resource)));
      if (namespaced !== undefined) row.namespaced = true;
      const verb = action === "post" ? "create" : action === "put" ? "update" : action === "watchlist" ? "watch" : action;
      if (subresource === undefined) {
        row.kind = gvk.kind;
        row.verbs.add(verb);
      } else {
        const sub = (row.subresources[subresource] ??= { group: gvk.group, version: gvk.version, kind: gvk.kind, verbs: new Set() });
        if (verb !== "connect") sub.verbs.add(verb);
        else for (const method of Object.keys(operations)) sub.verbs.add(connectVerb(method));
      }
    }
  }
  const rows = [...byName.values()].filter((row) => row.kind !== "");
  for (const row of rows) {
    if (row.verbs.has("list")) row.verbs.add("watch");
    if (row.verbs.has("deletecollection")) row.verbs.add("deletecollection");
    Object.assign(row, extraResourceFacts[`${row.group}/${row.resource}`] ?? {});
  }
  return rows.sort((a, b) => `${a.group}/${a.version}/${a.resource}`.localeCompare(`${b.group}/${b.version}/${b.resource}`, "en"));
}

function emptyResource(group: string, version: string, resource: string) {
  return {
    group,
    version,
    resource,
    kind: "",
    namespaced: false,
    verbs: new Set<string>(),
    subresources: {} as Record<string, { group: string; version: string; kind: string; verbs: Set<string> }>,
  };
}

function connectVerb(method: string): string {
  return { get: "get", post: "create", put: "update", patch: "patch", delete: "delete" }[method] ?? "get";
}

function definitionOf(group: string, version: string, kind: string): string | undefined {
  return Object.keys(document.definitions).find((name) => {
    const kinds = document.definitions[name]?.["x-kubernetes-group-version-kind"] as
      | { group: string; version: string; kind: string }[]
      | undefined;
    return name.endsWith(`.${kind}`) && kinds?.some((k) => k.group === group && k.version === version && k.kind === kind) === true;
  });
}

function reachableTypes(): string[] {
  const seen = new Set<string>();
  const visit = (name: string | undefined): void => {
    if (name === undefined || seen.has(name) || OPAQUE[name] !== undefined) return;
    seen.add(name);
    for (const property of Object.values(document.definitions[name]?.properties ?? {})) visitProperty(property);
  };
  const visitProperty = (property: OpenApiProperty): void => {
    if (property.$ref !== undefined) visit(refName(property.$ref));
    if (property.items !== undefined) visitProperty(property.items);
    if (property.additionalProperties !== undefined) visitProperty(property.additionalProperties);
  };
  for (const row of resources) {
    visit(definitionOf(row.group, row.version, row.kind));
    visit(definitionOf(row.group, row.version, `${row.kind}List`));
    for (const sub of Object.values(row.subresources)) visit(definitionOf(sub.group, sub.version, sub.kind));
  }
  for (const name of Object.keys(document.definitions)) if (name.includes(".meta.v1.") || name.endsWith("version.Info")) visit(name);
  return [...seen].sort();
}

function refName(ref: string): string {
  return ref.slice("#/definitions/".length);
}

/** The table's notation of a type: a scalar's name, `@Definition`, `[]T` or `{}T`. */
function tableType(property: OpenApiProperty): string {
  if (property.$ref !== undefined) {
    const name = refName(property.$ref);
    return OPAQUE[name] ?? `@${shortName(name)}`;
  }
  if (property.type === "array") return `[]${tableType(property.items ?? {})}`;
  if (property.additionalProperties !== undefined) return `{}${tableType(property.additionalProperties)}`;
  if (property.type === "integer") return property.format === "int64" ? "int64" : "int32";
  if (property.type === "string") return property.format === "byte" ? "bytes" : "string";
  return { number: "double", boolean: "boolean" }[property.type ?? ""] ?? "any";
}

/** `io.k8s.api.core.v1.Pod` → `core.v1.Pod`; meta/v1, version and extension packages likewise. */
function shortName(definition: string): string {
  return definition
    .replace("io.k8s.api.", "")
    .replace("io.k8s.apimachinery.pkg.apis.", "")
    .replace("io.k8s.apimachinery.pkg.", "")
    .replace("io.k8s.apiextensions-apiserver.pkg.apis.", "")
    .replace("io.k8s.kube-aggregator.pkg.apis.", "");
}

function writeTable(): void {
  const types: Record<string, Record<string, FieldRow>> = {};
  for (const name of typeNames) {
    const definition = document.definitions[name];
    const fields: Record<string, FieldRow> = {};
    const shown = new Set(Object.keys(definition?.properties ?? {}).map(plainName));
    for (const [field, property] of Object.entries(definition?.properties ?? {})) {
      const protoField = `${protoName(name)}.${field}`;
      const strategy = property["x-kubernetes-patch-strategy"] as string | undefined;
      const target = property.$ref === undefined ? undefined : document.definitions[refName(property.$ref)];
      const map = (property["x-kubernetes-map-type"] ?? target?.["x-kubernetes-map-type"]) as string | undefined;
      fields[field] = {
        t: tableType(property),
        ...(definition?.required?.includes(field) === true ? { req: 1 as const } : {}),
        ...(property["x-kubernetes-list-type"] === undefined ? {} : { list: property["x-kubernetes-list-type"] as string }),
        ...(property["x-kubernetes-list-map-keys"] === undefined ? {} : { keys: property["x-kubernetes-list-map-keys"] as string[] }),
        ...(map === undefined ? {} : { map }),
        ...(strategy === undefined ? {} : { strategy: strategy.split(",") }),
        ...(property["x-kubernetes-patch-merge-key"] === undefined ? {} : { merge: property["x-kubernetes-patch-merge-key"] as string }),
        ...(fieldsWithoutZero[shortName(name)]?.includes(field) === true ? { nz: 1 as const } : {}),
        ...(protoDefaults.has(protoField) ? { def: protoDefaults.get(protoField) } : {}),
        ...protoPlace(protoName(name), field, shown),
        ...unionOf(property.$ref ?? property.additionalProperties?.$ref),
      };
    }
    types[shortName(name)] = fields;
  }
  const rows = resources.map((row) => ({
    ...row,
    type: shortName(definitionOf(row.group, row.version, row.kind) ?? ""),
    verbs: [...row.verbs].sort(),
    subresources: Object.fromEntries(
      Object.entries(row.subresources).map(([name, sub]) => [
        name,
        { ...sub, type: shortName(definitionOf(sub.group, sub.version, sub.kind) ?? ""), verbs: [...sub.verbs].sort() },
      ]),
    ),
  }));
  write("src/api/schema/table.json", `${jsonLines({ resources: rows, types })}\n`);
}

function unionOf(ref: string | undefined): { or?: string } {
  const or = ref === undefined ? undefined : unions[refName(ref)];
  return or === undefined ? {} : { or };
}

/** One resource or type a line, so that a change of one shows as one line. */
function jsonLines(table: { resources: unknown[]; types: Record<string, unknown> }): string {
  const rows = table.resources.map((row) => JSON.stringify(row)).join(",\n");
  const types = Object.entries(table.types)
    .map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`)
    .join(",\n");
  return `{"resources":[\n${rows}\n],\n"types":{\n${types}\n}}`;
}

function writeTypes(): void {
  const files = new Map<string, string[]>();
  for (const name of typeNames) {
    const short = shortName(name);
    const module = short.slice(0, short.lastIndexOf("."));
    const list = files.get(module) ?? [];
    files.set(module, list);
    list.push(name);
  }
  rmSync("src/api/types", { recursive: true, force: true });
  for (const [module, names] of files) write(typesPath(module), typesFile(module, names));
}

/** meta/v1 belongs to the machinery, which may not import the API. */
function typesPath(module: string): string {
  return module === "meta.v1" ? "src/machinery/meta/types.ts" : `src/api/types/${module.replaceAll(".", "/")}.ts`;
}

function typesFile(module: string, names: string[]): string {
  const imports = new Map<string, Set<string>>();
  const bodies = names.map((name) => typeDeclaration(module, name, imports));
  const lines = [...imports]
    .sort(([a], [b]) => a.localeCompare(b, "en"))
    .map(([from, symbols]) => `import type { ${[...symbols].sort().join(", ")} } from "${from}";`);
  return `// Generated by scripts/update-api.ts from Kubernetes' OpenAPI document. Do not edit.\n${lines.join("\n")}\n\n${bodies.join("\n\n")}\n`;
}

function typeDeclaration(module: string, name: string, imports: Map<string, Set<string>>): string {
  const definition = document.definitions[name];
  const kinds = definition?.["x-kubernetes-group-version-kind"] as { group: string; version: string; kind: string }[] | undefined;
  const local = localName(name);
  const fields = Object.entries(definition?.properties ?? {}).map(([field, property]) => {
    const isKept = definition?.required?.includes(field) === true || (field === "metadata" && kinds?.length === 1);
    const key = /^[A-Za-z_$][\w$]*$/.test(field) ? field : JSON.stringify(field);
    return `  ${key}${isKept ? ": " : "?: "}${typescriptType(module, property, imports)}${isKept ? "" : " | undefined"};`;
  });
  if (fields.length === 0) return `export type ${local} = Record<string, never>;`;
  return `export interface ${local} {\n${fields.join("\n")}\n}`;
}

function localName(definition: string): string {
  const name = definition.slice(definition.lastIndexOf(".") + 1);
  return { Event_v2: "Event" }[name] ?? name;
}

function typescriptType(module: string, property: OpenApiProperty, imports: Map<string, Set<string>>): string {
  if (property.$ref !== undefined) {
    const name = refName(property.$ref);
    const opaque = OPAQUE[name];
    if (opaque !== undefined)
      return { quantity: "string", time: "string", microTime: "string", intOrString: "number | string" }[opaque] ?? "unknown";
    const short = shortName(name);
    const target = short.slice(0, short.lastIndexOf("."));
    if (target !== module) {
      const depth = typesPath(module).split("/").length - 2;
      const from = `${"../".repeat(depth)}${typesPath(target).slice("src/".length)}`;
      const symbols = imports.get(from) ?? new Set();
      imports.set(from, symbols.add(localName(name)));
    }
    return localName(name);
  }
  if (property.type === "array") {
    const item = typescriptType(module, property.items ?? {}, imports);
    return item.includes("|") ? `(${item})[]` : `${item}[]`;
  }
  if (property.additionalProperties !== undefined)
    return `Record<string, ${typescriptType(module, property.additionalProperties, imports)}>`;
  return { integer: "number", number: "number", string: "string", boolean: "boolean" }[property.type ?? ""] ?? "unknown";
}

/** `resources.pods`, `resources.deployments`, …; a name that two groups or versions share gets a suffix. */
function writeRefs(): void {
  const imports: string[] = [];
  const rows = resources.map((row) => {
    const type = shortName(definitionOf(row.group, row.version, row.kind) ?? "");
    const alias = type
      .split(".")
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
      .join("");
    const module = type.slice(0, type.lastIndexOf("."));
    imports.push(`import type { ${localName(type)} as ${alias} } from ".${typesPath(module).slice("src/api/types".length)}";`);
    const { group, version, resource, kind, namespaced } = row;
    const name = SHARED_PLURALS[`${group}/${version}/${resource}`] ?? resource;
    return `  ${name}: ${JSON.stringify({ group, version, resource, kind, namespaced })} as ResourceRef<${alias}>,`;
  });
  write(
    "src/api/types/resources.ts",
    `// Generated by scripts/update-api.ts. Do not edit.\nimport type { ResourceRef } from "../resource.ts";\n${imports.join("\n")}\n\n/** Every built-in resource, for the clients' calls. */\nexport const resources = {\n${rows.join("\n")}\n};\n`,
  );
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
