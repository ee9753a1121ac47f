// Random values of the API's types, for tests of what must hold for all of them.
import fc from "fast-check";
import type { FieldType, ScalarType, TypeFacts } from "../machinery/index.ts";

const text = fc.string({ minLength: 1, maxLength: 8, unit: "binary" });
const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
const wholeTime = seconds.map((at) => `${new Date(at * 1000).toISOString().slice(0, 19)}Z`);

const scalars: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  string: text,
  int32: fc.integer(),
  int64: fc.maxSafeInteger(),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }),
  boolean: fc.boolean(),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString("base64")),
  time: wholeTime,
  microTime: fc.tuple(wholeTime, fc.nat(999_999)).map(([time, micros]) => `${time.slice(0, -1)}.${String(micros).padStart(6, "0")}Z`),
  quantity: fc.constantFrom("1", "250m", "1Gi"),
  intOrString: fc.oneof(fc.integer(), text),
  any: fc.dictionary(fc.constantFrom("a", "f:b"), fc.oneof(text, fc.integer()), { minKeys: 1, noNullPrototype: true }),
};

/** Values of a type as JSON has them, nothing in them empty: what is empty is left out in one form or the other. */
function arbitraryOf(type: FieldType, depth: number): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case "scalar":
      return scalars[type.scalar];
    case "object":
      return objectOf(type.type, depth - 1);
    case "list":
      return fc.array(arbitraryOf(type.items, depth), { minLength: 1, maxLength: 2 });
    case "map":
      return fc.dictionary(text, arbitraryOf(type.values, depth), { minKeys: 1, maxKeys: 2, noNullPrototype: true });
  }
}

/** Objects of a type, nested up to `depth`. */
export function objectOf(facts: TypeFacts, depth: number): fc.Arbitrary<object> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const { name, type, protobufNumber, protobufUnion } of facts.fields.values()) {
    const isFlat = type.kind === "scalar" || (type.kind === "list" && type.items.kind === "scalar");
    const isTooDeep = protobufUnion === undefined ? !isFlat && depth <= 0 : depth < 0;
    if (protobufNumber === undefined || isTooDeep) continue;
    members[name] = protobufUnion === undefined ? arbitraryOf(type, depth) : unionOf(facts, protobufUnion, depth);
    if (facts.name.endsWith("JSONSchemaProps") && name === "dependencies") {
      members[name] = fc.dictionary(text, unionOf(facts, "strings", depth), { minKeys: 1, maxKeys: 2, noNullPrototype: true });
    }
  }
  return fc.record(members, { requiredKeys: [], noNullPrototype: true });
}

function unionOf(schema: TypeFacts, union: "list" | "boolean" | "strings", depth: number): fc.Arbitrary<unknown> {
  const one: fc.Arbitrary<unknown> = objectOf(schema, Math.min(depth - 1, 0));
  const other: fc.Arbitrary<unknown> =
    union === "boolean" ? fc.boolean() : fc.array<unknown>(union === "list" ? one : text, { minLength: 1, maxLength: 2 });
  return fc.oneof(one, other);
}
