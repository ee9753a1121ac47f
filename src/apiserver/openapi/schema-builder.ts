// JSON schemas of types, made from their facts: each type once, by its full name, with Kubernetes' extensions.
import { typeFacts } from "../../api/index.ts";
import type { FieldFacts, FieldType, ScalarType, TypeFacts } from "../../machinery/index.ts";
import { schemaForV2 } from "./custom-types.ts";
import type { Descriptions } from "./descriptions.ts";

export type Schema = Readonly<Record<string, unknown>>;

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const packages: Readonly<Record<string, string>> = {
  meta: "io.k8s.apimachinery.pkg.apis.meta",
  apiextensions: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
  apiregistration: "io.k8s.kube-aggregator.pkg.apis.apiregistration",
  metrics: "io.k8s.metrics.pkg.apis.metrics",
};

/** `core.v1.Pod` → `io.k8s.api.core.v1.Pod`; names outside of the built-in table stay as they are. */
export function schemaName(type: string): string {
  const [group = "", version, kind, ...more] = type.split(".");
  if (version === "Info" && group === "version") return "io.k8s.apimachinery.pkg.version.Info";
  if (version === undefined || kind === undefined || more.length > 0) return type;
  return `${packages[group] ?? `io.k8s.api.${group}`}.${version}.${kind}`;
}

/** Scalars that are types of their own in Kubernetes' documents. */
const namedScalars: Partial<Record<ScalarType, { readonly name: string; readonly schema: Schema }>> = {
  time: { name: `${META}Time`, schema: { type: "string", format: "date-time" } },
  microTime: { name: `${META}MicroTime`, schema: { type: "string", format: "date-time" } },
  quantity: {
    name: "io.k8s.apimachinery.pkg.api.resource.Quantity",
    schema: { oneOf: [{ type: "string" }, { type: "number" }] },
  },
  intOrString: {
    name: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    schema: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
};

const plainScalars: Partial<Record<ScalarType, Schema>> = {
  string: { type: "string" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  double: { type: "number", format: "double" },
  boolean: { type: "boolean" },
  bytes: { type: "string", format: "byte" },
  any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
};

/** How a document writes references: v3 in `components`, v2 in `definitions`. */
export interface SchemaDialect {
  readonly refPrefix: string;
  /** v3 wraps a reference in allOf, so that something can stand beside it. */
  readonly wrapsRefs: boolean;
}

export class SchemaBuilder {
  readonly schemas = new Map<string, Schema>();
  readonly #dialect: SchemaDialect;
  readonly #descriptions: Descriptions;

  constructor(dialect: SchemaDialect, descriptions: Descriptions) {
    this.#dialect = dialect;
    this.#descriptions = descriptions;
  }

  /** A reference to `facts`' schema, which is added with all that it refers to. */
  ref(facts: TypeFacts): Schema {
    const name = schemaName(facts.name);
    if (!this.schemas.has(name)) {
      // Its place is taken before its fields are looked at: types may contain themselves.
      this.schemas.set(name, {});
      this.schemas.set(name, this.#object(facts));
    }
    return this.#refTo(name);
  }

  /** Gives `facts` a schema of its own, to which the fields of every object are added. */
  define(facts: TypeFacts, schema: Schema): void {
    const { wrapsRefs } = this.#dialect;
    const own = wrapsRefs ? schema : schemaForV2(schema);
    const texts = this.#descriptions("core.v1.ConfigMap")?.fields;
    const envelope = {
      apiVersion: { ...descriptionOf(texts?.get("apiVersion")), type: "string" },
      kind: { ...descriptionOf(texts?.get("kind")), type: "string" },
      metadata: { ...descriptionOf(texts?.get("metadata")), ...this.#wrapped(this.ref(typeFacts("meta.v1.ObjectMeta"))) },
    };
    const properties = { ...(own["properties"] as object | undefined), ...envelope };
    this.schemas.set(schemaName(facts.name), { ...own, type: "object", properties });
  }

  /** Says which kinds `facts` is the type of. */
  addKinds(facts: TypeFacts, kinds: readonly GroupVersionKind[]): void {
    this.ref(facts);
    const name = schemaName(facts.name);
    const known = (this.schemas.get(name)?.["x-kubernetes-group-version-kind"] ?? []) as readonly GroupVersionKind[];
    const missing = kinds.filter(({ group, version, kind }) => {
      return !known.some((other) => other.group === group && other.version === version && other.kind === kind);
    });
    this.schemas.set(name, { ...this.schemas.get(name), "x-kubernetes-group-version-kind": [...known, ...missing] });
  }

  #refTo(name: string): Schema {
    return { $ref: `${this.#dialect.refPrefix}${name}` };
  }

  #object(facts: TypeFacts): Schema {
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    const described = this.#descriptions(facts.name);
    for (const field of facts.fields.values()) {
      properties[field.name] = this.#field(field, described?.fields.get(field.name) ?? this.#textOf(field.type));
      if (field.isRequired) required.push(field.name);
    }
    return {
      ...descriptionOf(described?.text),
      type: "object",
      ...(facts.fields.size === 0 ? {} : { properties }),
      ...(required.length === 0 ? {} : { required }),
    };
  }

  /** What is said of the type that the field refers to. */
  #textOf(type: FieldType): string | undefined {
    if (type.kind === "list") return this.#textOf(type.items);
    if (type.kind === "map") return this.#textOf(type.values);
    return type.kind === "object" ? this.#descriptions(type.type.name)?.text : undefined;
  }

  #field(field: FieldFacts, text: string | undefined): Schema {
    return {
      ...descriptionOf(text),
      ...this.#type(field.type),
      ...(field.listType === undefined ? {} : { "x-kubernetes-list-type": field.listType }),
      ...(field.listMapKeys === undefined ? {} : { "x-kubernetes-list-map-keys": field.listMapKeys }),
      ...(field.mapType === undefined ? {} : { "x-kubernetes-map-type": field.mapType }),
      ...(field.patchStrategy === undefined ? {} : { "x-kubernetes-patch-strategy": field.patchStrategy.join(",") }),
      ...(field.patchMergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": field.patchMergeKey }),
    };
  }

  #type(type: FieldType): Schema {
    switch (type.kind) {
      case "object":
        return this.#wrapped(this.ref(type.type));
      case "list":
        return { type: "array", items: this.#type(type.items) };
      case "map":
        return { type: "object", additionalProperties: this.#type(type.values) };
      case "scalar":
        return this.#scalar(type.scalar);
    }
  }

  #scalar(scalar: ScalarType): Schema {
    const named = namedScalars[scalar];
    if (named === undefined) return plainScalars[scalar] ?? {};
    // v2 knows no oneOf: such types are strings there.
    const schema = this.#dialect.wrapsRefs ? named.schema : { type: "string", ...withoutOneOf(named.schema) };
    this.schemas.set(named.name, schema);
    return this.#wrapped(this.#refTo(named.name));
  }

  #wrapped(ref: Schema): Schema {
    return this.#dialect.wrapsRefs ? { allOf: [ref] } : ref;
  }
}

function withoutOneOf({ oneOf: _, ...rest }: Schema): Schema {
  return rest;
}

function descriptionOf(text: string | undefined): Schema {
  return text === undefined || text === "" ? {} : { description: text };
}
