// The OpenAPI v2 document of everything.
import type { Resource } from "../../api/index.ts";
import { addKinds, answerSchema, bodySchema, type DocumentOptions, typeOf } from "./document-v3.ts";
import type { SwaggerDocument } from "./merge-v2.ts";
import { type Operation, type Parameter, pathItems } from "./operations.ts";
import { SchemaBuilder } from "./schema-builder.ts";

const produces = ["application/json", "application/yaml"];

export function documentV2(resources: readonly Resource[], { version, descriptions }: DocumentOptions): SwaggerDocument {
  const builder = new SchemaBuilder({ refPrefix: "#/definitions/", wrapsRefs: false }, descriptions);
  const paths: Record<string, object> = {};
  for (const resource of resources) {
    addKinds(builder, resource);
    for (const { path, parameters, operations } of pathItems(resource, typeOf)) {
      const methods = operations.map((operation) => [operation.method, operationV2(builder, operation)] as const);
      paths[path] = { parameters: parameters.map(parameterV2), ...Object.fromEntries(methods) };
    }
  }
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version },
    paths,
    definitions: Object.fromEntries([...builder.schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
    securityDefinitions: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } },
    security: [{ BearerToken: [] }],
  };
}

function parameterV2({ name, in: place, type, isRequired }: Parameter): object {
  return { name, in: place, type, uniqueItems: true, ...(isRequired ? { required: true } : {}) };
}

function operationV2(builder: SchemaBuilder, operation: Operation): object {
  const { action, kind, operationId, parameters, body, consumes, answer, codes } = operation;
  const schema = answerSchema(builder, answer) ?? { type: "string" };
  const bodies = body === undefined ? [] : [{ name: "body", in: "body", required: body === "patch", schema: bodySchema(builder, body) }];
  return {
    consumes: consumes.length === 0 ? ["*/*"] : consumes,
    produces,
    schemes: ["https"],
    operationId,
    parameters: [...bodies, ...parameters.map(parameterV2)],
    responses: { ...Object.fromEntries(codes.map((code) => [code, { description: "OK", schema }])), 401: { description: "Unauthorized" } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": kind,
  };
}
