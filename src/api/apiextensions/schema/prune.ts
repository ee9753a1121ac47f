// Takes away what a structural schema does not know. @see kubernetes `apiextensions-apiserver/pkg/apiserver/schema/pruning`
import { type FieldReport, fitToType, type TypeFacts } from "../../../machinery/index.ts";
import { typeFacts } from "../../schema/table.ts";
import { isEnvelope, isObject, itemsOf, type JsonObject, keepsUnknown, memberOf, type Schema } from "./schema.ts";

/**
 * Removes from `object`, a private draft, what its schema (and ObjectMeta) does not know, and says what it was. Wrong types
 * below the metadata are no problem here: validation reports them.
 */
export function pruneCustomResource(object: JsonObject, schema: Schema): FieldReport {
  const unknown: string[] = [];
  const envelope = pruneEnvelope(object);
  pruneObject(object, schema, { path: "", isRoot: true, unknown });
  return { unknown: [...envelope.unknown, ...unknown], typeError: envelope.typeError };
}

/** apiVersion, kind and metadata have the same form in every object. */
const envelopeFacts: TypeFacts = {
  name: "CustomResource",
  fields: new Map([
    ["apiVersion", { name: "apiVersion", type: { kind: "scalar", scalar: "string" }, isRequired: false }],
    ["kind", { name: "kind", type: { kind: "scalar", scalar: "string" }, isRequired: false }],
    ["metadata", { name: "metadata", type: { kind: "object", type: typeFacts("meta.v1.ObjectMeta") }, isRequired: false }],
  ]),
};

function pruneEnvelope(object: JsonObject): FieldReport {
  const { apiVersion, kind, metadata } = object;
  const envelope = fitToType({ apiVersion, kind, metadata }, envelopeFacts);
  Object.assign(object, envelope.object);
  return envelope;
}

interface Place {
  readonly path: string;
  /** Whether the object has an envelope of its own. */
  readonly isRoot: boolean;
  /** Collects the problems. */
  readonly unknown: string[];
}

/** An embedded object's metadata, as far as it is of the right type. */
function pruneEmbeddedMetadata(object: JsonObject, path: string, unknown: string[]): void {
  const fitted = fitToType(object["metadata"], typeFacts("meta.v1.ObjectMeta"), `${path}.metadata`);
  if (fitted.typeError !== undefined) return;
  object["metadata"] = fitted.object;
  unknown.push(...fitted.unknown);
}

function pruneObject(object: JsonObject, schema: Schema, { path, isRoot, unknown }: Place): void {
  const keeps = keepsUnknown(schema);
  for (const name of Object.keys(object)) {
    if (isRoot && isEnvelope(name)) continue;
    const member = memberOf(schema, name);
    const at = path === "" ? name : `${path}.${name}`;
    if (member !== undefined) pruneValue(object[name], member, at, unknown);
    else if (!keeps) {
      delete object[name];
      unknown.push(`unknown field "${at}"`);
    }
  }
}

function pruneValue(value: unknown, schema: Schema, path: string, unknown: string[]): void {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items !== undefined) for (const [index, item] of value.entries()) pruneValue(item, items, `${path}[${index}]`, unknown);
  } else if (isObject(value)) {
    const isRoot = schema["x-kubernetes-embedded-resource"] === true;
    if (isRoot && isObject(value["metadata"])) pruneEmbeddedMetadata(value, path, unknown);
    pruneObject(value, schema, { path, isRoot, unknown });
  }
}
