// The CEL of webhooks and policies: which variables an expression sees, what it must evaluate to, and what is wrong with
// one that does not compile. Validation and admission compile with the same environments.
import {
  authorizerType,
  CelCompileError,
  CelEnvironment,
  type CelField,
  type CelObjectType,
  type CelProgram,
  type CelType,
  formatType,
  listOf,
  objectOf,
  resourceCheckType,
} from "../../machinery/cel/index.ts";
import { type FieldError, field } from "../../machinery/index.ts";

const strings: CelType = { kind: "map", key: "string", value: "string" };
const kindType = objectOf("kubernetes.GroupVersionKind", { group: "string", version: "string", kind: "string" });
const resourceType = objectOf("kubernetes.GroupVersionResource", { group: "string", version: "string", resource: "string" });
const userType = objectOf("kubernetes.UserInfo", {
  username: "string",
  uid: "string",
  groups: listOf("string"),
  extra: { kind: "map", key: "string", value: listOf("string") },
});

const requestType = objectOf("kubernetes.AdmissionRequest", {
  kind: kindType,
  resource: resourceType,
  subResource: "string",
  requestKind: kindType,
  requestResource: resourceType,
  requestSubResource: "string",
  name: "string",
  namespace: "string",
  operation: "string",
  userInfo: userType,
  dryRun: "bool",
  options: "dyn",
});

const namespaceType = objectOf("kubernetes.Namespace", {
  metadata: objectOf("kubernetes.NamespaceMetadata", {
    name: "string",
    generateName: "string",
    namespace: "string",
    labels: strings,
    annotations: strings,
    UID: "string",
    creationTimestamp: "timestamp",
    deletionGracePeriodSeconds: "int",
    deletionTimestamp: "timestamp",
    generation: "int",
    resourceVersion: "string",
    finalizers: listOf("string"),
  }),
  spec: objectOf("kubernetes.NamespaceSpec", { finalizers: listOf("string") }),
  status: objectOf("kubernetes.NamespaceStatus", { phase: "string" }),
});

const base: Readonly<Record<string, CelType>> = { object: "dyn", oldObject: "dyn", request: requestType };
const asking: Readonly<Record<string, CelType>> = { authorizer: authorizerType, "authorizer.requestResource": resourceCheckType };

/** Of a webhook's matchConditions. */
export const webhookEnvironment = new CelEnvironment({ variables: { ...base, ...asking }, authorizer: true });

export interface PolicyScope {
  /** Whether the policy has a paramKind. */
  readonly hasParams: boolean;
  /** The types of `variables.<name>`; absent where variables are not seen. */
  readonly variables?: ReadonlyMap<string, CelType>;
  /** False for messages. Default true. */
  readonly hasAuthorizer?: boolean;
  /** Whether expressions make objects and patches. */
  readonly isMutation?: boolean;
  /** What is known of the objects and the parameters. Default: nothing. */
  readonly types?: { readonly object: CelType; readonly params: CelType };
}

const unknownTypes = { object: "dyn", params: "dyn" } as const;

/** Of one of a policy's expressions. */
export function policyEnvironment({
  hasParams,
  variables,
  hasAuthorizer = true,
  isMutation = false,
  types = unknownTypes,
}: PolicyScope): CelEnvironment {
  const composed = [...(variables ?? [])].map(([name, type]): [string, CelField] => [name, { type }]);
  const variablesType: CelObjectType = { kind: "object", name: "kubernetes.variables", fields: new Map(composed) };
  return new CelEnvironment({
    variables: {
      ...base,
      object: types.object,
      oldObject: types.object,
      namespaceObject: namespaceType,
      ...(hasParams ? { params: types.params } : {}),
      ...(variables === undefined ? {} : { variables: variablesType }),
      ...(hasAuthorizer ? asking : {}),
    },
    authorizer: hasAuthorizer,
    jsonPatch: isMutation,
    ...(isMutation ? { structs: mutationType } : {}),
  });
}

const patchOperation: CelObjectType = {
  kind: "object",
  name: "JSONPatch",
  constructible: true,
  fields: new Map([
    ["op", { type: "string" }],
    ["path", { type: "string" }],
    ["from", { type: "string" }],
    ["value", { type: "dyn" }],
  ]),
};

/** `Object` and `Object.spec.template` stand for the object and its parts, with whatever fields these have. */
function mutationType(name: string): CelObjectType | undefined {
  if (name === "JSONPatch") return patchOperation;
  if (name !== "Object" && !name.startsWith("Object.")) return undefined;
  return { kind: "object", name, constructible: true, fields: new AnyFields() };
}

/** Knows a field of every name. */
class AnyFields extends Map<string, CelField> {
  override get(): CelField {
    return { type: "dyn" };
  }

  override has(): boolean {
    return true;
  }
}

export const applyConfigurationResult: readonly string[] = ["Object"];
export const jsonPatchResult: readonly string[] = ["list(JSONPatch)"];

/** Compiles, and insists on a type of the result. Throws CelCompileError, and TypeError with upstream's text for another type. */
export function compileTo(environment: CelEnvironment, expression: string, results: readonly string[]): CelProgram {
  const program = environment.compile(expression);
  if (results.length === 0 || results.includes(formatType(program.type))) return program;
  throw new TypeError(results.length === 1 ? `must evaluate to ${results[0]}` : `must evaluate to one of [${results.join(" ")}]`);
}

/** Pushes what is wrong with an expression; answers its program when nothing is. */
export function checkExpression(
  errors: FieldError[],
  path: string,
  expression: string | undefined,
  { environment, results }: { readonly environment: CelEnvironment; readonly results: readonly string[] },
): CelProgram | undefined {
  const text = expression ?? "";
  if (text.trim() === "") {
    errors.push(field.required(path));
    return undefined;
  }
  try {
    return compileTo(environment, text, results);
  } catch (error) {
    if (!(error instanceof CelCompileError) && !(error instanceof TypeError)) throw error;
    errors.push(field.invalid(path, text, error.message));
    return undefined;
  }
}
