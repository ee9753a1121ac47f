// The OpenAPI v3 document of one group and version.
import { type Resource, typeFacts, typeNames } from "../../api/index.ts";
import type { TypeFacts } from "../../machinery/index.ts";
import { listFactsOf, subresourceFacts } from "./custom-types.ts";
import type { Descriptions } from "./descriptions.ts";
import { type Operation, type Parameter, pathItems } from "./operations.ts";
import { type Schema, SchemaBuilder } from "./schema-builder.ts";

const known = new Set(typeNames);
const answerTypes = ["application/json", "application/yaml"];

export function typeOf(name: string): TypeFacts | undefined {
  return known.has(name) ? typeFacts(name) : undefined;
}

export interface DocumentOptions {
  /** The server's gitVersion. */
  readonly version: string;
  readonly descriptions: Descriptions;
}

/** `resources` are those of the group and version. */
export function documentV3(resources: readonly Resource[], { version, descriptions }: DocumentOptions): object {
  const builder = new SchemaBuilder({ refPrefix: "#/components/schemas/", wrapsRefs: true }, descriptions);
  const paths: Record<string, object> = {};
  for (const resource of resources) {
    addKinds(builder, resource);
    for (const { path, parameters, operations } of pathItems(resource, typeOf)) {
      const methods = operations.map((operation) => [operation.method, operationV3(builder, operation)] as const);
      paths[path] = { parameters: parameters.map(parameterV3), ...Object.fromEntries(methods) };
    }
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version },
    paths,
    components: {
      schemas: Object.fromEntries([...builder.schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } },
    },
  };
}

/** Adds the resource's type and its list's with the kinds they are. */
export function addKinds(builder: SchemaBuilder, resource: Resource): void {
  const { group, version, kind, listKind } = resource;
  if (resource.openApiSchema !== undefined) builder.define(resource.facts, resource.openApiSchema);
  builder.addKinds(resource.facts, [{ group, version, kind }]);
  const list = listFactsOf(resource, typeOf);
  if (list !== undefined) builder.addKinds(list, [{ group, version, kind: listKind }]);
  for (const row of Object.values(resource.subresources)) {
    const facts = subresourceFacts(resource, row.type, typeOf);
    if (facts !== undefined) builder.addKinds(facts, [{ group: row.group, version: row.version, kind: row.kind }]);
  }
  builder.addKinds(typeFacts("meta.v1.Status"), [{ group: "", version: "v1", kind: "Status" }]);
  builder.addKinds(typeFacts("meta.v1.DeleteOptions"), [{ group, version, kind: "DeleteOptions" }]);
}

function parameterV3({ name, in: place, type, isRequired }: Parameter): object {
  return { name, in: place, ...(isRequired ? { required: true } : {}), schema: { type, uniqueItems: true } };
}

function operationV3(builder: SchemaBuilder, operation: Operation): object {
  const { action, kind, operationId, parameters, body, consumes, answer, codes } = operation;
  const schema = answerSchema(builder, answer);
  const content = contentOf(schema === undefined ? ["*/*"] : answerTypes, schema ?? { type: "string" });
  const responses = Object.fromEntries(codes.map((code) => [code, { description: descriptions[code] ?? "", content }]));
  return {
    operationId,
    parameters: parameters.map(parameterV3),
    ...(body === undefined ? {} : { requestBody: { content: contentOf(consumes, bodySchema(builder, body)) } }),
    responses: { ...responses, 401: { description: "Unauthorized" } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": kind,
  };
}

const descriptions: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };

function contentOf(types: readonly string[], schema: Schema): object {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

export function bodySchema(builder: SchemaBuilder, body: NonNullable<Operation["body"]>): Schema {
  if (body === "patch") return { type: "object" };
  return builder.ref(body === "deleteOptions" ? typeFacts("meta.v1.DeleteOptions") : body);
}

export function answerSchema(builder: SchemaBuilder, answer: Operation["answer"]): Schema | undefined {
  if (answer === undefined) return undefined;
  return builder.ref(answer === "status" ? typeFacts("meta.v1.Status") : answer);
}
