// The OpenAPI v2 document in protobuf (the messages of gnostic's openapi.v2), which older clients ask for.
import protobuf from "protobufjs/minimal.js";

type Writer = protobuf.Writer;
type Members = Readonly<Record<string, unknown>>;
/** Writes a value into the field of that number. */
type Put = (writer: Writer, number: number, value: unknown) => void;

const tag = (number: number, wireType: number) => ((number << 3) | wireType) >>> 0;

const text: Put = (writer, number, value) => void writer.uint32(tag(number, 2)).string(String(value));
const bool: Put = (writer, number, value) => void writer.uint32(tag(number, 0)).bool(value === true);
const long: Put = (writer, number, value) => void writer.uint32(tag(number, 0)).int64(Number(value));
const double: Put = (writer, number, value) => void writer.uint32(tag(number, 1)).double(Number(value));

/** An Any: the value as YAML, of which JSON is a part. */
const any: Put = (writer, number, value) => {
  nested(writer, number, () => text(writer, 2, JSON.stringify(value)));
};

function nested(writer: Writer, number: number, content: () => void): void {
  writer.uint32(tag(number, 2)).fork();
  content();
  writer.ldelim();
}

function many(put: Put): Put {
  return (writer, number, value) => {
    for (const item of Array.isArray(value) ? value : [value]) put(writer, number, item);
  };
}

/** A message that has only one field, which holds the value. */
function wrapped(inner: number, put: Put): Put {
  return (writer, number, value) => nested(writer, number, () => put(writer, inner, value));
}

/** The members of a map as (name, value) pairs. */
function named(put: Put): Put {
  return (writer, number, value) => {
    for (const [name, member] of Object.entries(value as Members)) {
      nested(writer, number, () => {
        text(writer, 1, name);
        put(writer, 2, member);
      });
    }
  };
}

interface Shape {
  /** The fields by their JSON names. */
  readonly fields: Readonly<Record<string, readonly [number, Put]>>;
  /** The number of vendor extensions (`x-…`). */
  readonly extensions: number;
}

function message({ fields, extensions }: Shape): Put {
  const extension = named(any);
  return (writer, number, value) => {
    nested(writer, number, () => {
      for (const [name, member] of Object.entries(value as Members)) {
        const field = fields[name];
        if (field !== undefined) field[1](writer, field[0], member);
        else if (name.startsWith("x-")) extension(writer, extensions, { [name]: member });
      }
    });
  };
}

/** Schemas hold schemas: the reference is followed when it is used. */
const schema: Put = (writer, number, value) => schemaMessage(writer, number, value);

/** A schema (field 1) or a boolean (field 2). */
const schemaOrBool: Put = (writer, number, value) => {
  nested(writer, number, () => (typeof value === "boolean" ? bool(writer, 2, value) : schema(writer, 1, value)));
};

const schemaMessage = message({
  extensions: 31,
  fields: {
    $ref: [1, text],
    format: [2, text],
    title: [3, text],
    description: [4, text],
    default: [5, any],
    multipleOf: [6, double],
    maximum: [7, double],
    exclusiveMaximum: [8, bool],
    minimum: [9, double],
    exclusiveMinimum: [10, bool],
    maxLength: [11, long],
    minLength: [12, long],
    pattern: [13, text],
    maxItems: [14, long],
    minItems: [15, long],
    uniqueItems: [16, bool],
    maxProperties: [17, long],
    minProperties: [18, long],
    required: [19, many(text)],
    enum: [20, many(any)],
    additionalProperties: [21, schemaOrBool],
    type: [22, wrapped(1, many(text))],
    items: [23, wrapped(1, many(schema))],
    allOf: [24, many(schema)],
    properties: [25, wrapped(1, named(schema))],
    example: [30, any],
  },
});

const bodyParameter = message({
  extensions: 6,
  fields: { description: [1, text], name: [2, text], in: [3, text], required: [4, bool], schema: [5, schema] },
});
const pathParameter = message({
  extensions: 22,
  fields: { required: [1, bool], in: [2, text], description: [3, text], name: [4, text], type: [5, text], uniqueItems: [19, bool] },
});
const queryParameter = message({
  extensions: 23,
  fields: { required: [1, bool], in: [2, text], description: [3, text], name: [4, text], type: [6, text], uniqueItems: [20, bool] },
});

const parameter: Put = (writer, number, value) => {
  const { in: place } = value as { readonly in?: string };
  const one = place === "body" ? bodyParameter : wrapped(place === "path" ? 4 : 3, place === "path" ? pathParameter : queryParameter);
  wrapped(1, (inner, at, wanted) => nested(inner, at, () => one(inner, place === "body" ? 1 : 2, wanted)))(writer, number, value);
};

const response = message({ extensions: 5, fields: { description: [1, text], schema: [2, wrapped(1, schema)] } });

const operation = message({
  extensions: 13,
  fields: {
    tags: [1, many(text)],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, many(text)],
    consumes: [7, many(text)],
    parameters: [8, many(parameter)],
    responses: [9, wrapped(1, named(wrapped(1, response)))],
    schemes: [10, many(text)],
    deprecated: [11, bool],
  },
});

const pathItem = message({
  extensions: 10,
  fields: {
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, many(parameter)],
  },
});

const apiKey = message({ extensions: 5, fields: { type: [1, text], name: [2, text], in: [3, text], description: [4, text] } });

const documentFields: Readonly<Record<string, readonly [number, Put]>> = {
  swagger: [1, text],
  info: [2, message({ extensions: 7, fields: { title: [1, text], version: [2, text], description: [3, text] } })],
  paths: [8, wrapped(2, named(pathItem))],
  definitions: [9, wrapped(1, named(schema))],
  security: [12, many(wrapped(1, named(wrapped(1, many(text)))))],
  securityDefinitions: [13, wrapped(1, named(wrapped(2, apiKey)))],
};

/** The bytes of an OpenAPI v2 document. What has no field in the messages is left out. */
export function encodeDocumentV2(document: object): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [name, value] of Object.entries(document)) {
    const field = documentFields[name];
    if (field !== undefined) field[1](writer, field[0], value);
  }
  return writer.finish();
}
