// The types of the API's objects as expressions see them: to find mistakes in policies before a request does.
import type { CelField, CelObjectType, CelType } from "../../machinery/cel/index.ts";
import type { FieldType, ScalarType, TypeFacts } from "../../machinery/index.ts";
import { celName } from "../apiextensions/schema/cel-types.ts";

const scalars: Readonly<Record<ScalarType, CelType>> = {
  string: "string",
  int32: "int",
  int64: "int",
  double: "double",
  boolean: "bool",
  bytes: "bytes",
  time: "timestamp",
  microTime: "timestamp",
  quantity: "dyn",
  intOrString: "dyn",
  any: "dyn",
};

const known = new WeakMap<TypeFacts, CelObjectType>();

/** The type of objects with these facts; types that contain themselves are made as far as an expression goes. */
export function celObjectTypeOf(facts: TypeFacts): CelObjectType {
  let type = known.get(facts);
  if (type === undefined) {
    let fields: ReadonlyMap<string, CelField> | undefined;
    type = {
      kind: "object",
      name: facts.name,
      get fields() {
        fields ??= fieldsOf(facts);
        return fields;
      },
    };
    known.set(facts, type);
  }
  return type;
}

function fieldsOf(facts: TypeFacts): ReadonlyMap<string, CelField> {
  const fields = new Map<string, CelField>();
  for (const [jsonName, { type }] of facts.fields) {
    const name = celName(jsonName);
    if (name !== undefined) fields.set(name, { type: celTypeOf(type), ...(name === jsonName ? {} : { jsonName }) });
  }
  return fields;
}

function celTypeOf(type: FieldType): CelType {
  switch (type.kind) {
    case "scalar":
      return scalars[type.scalar];
    case "object":
      return celObjectTypeOf(type.type);
    case "list":
      return { kind: "list", element: celTypeOf(type.items) };
    case "map":
      return { kind: "map", key: "string", value: celTypeOf(type.values) };
  }
}
