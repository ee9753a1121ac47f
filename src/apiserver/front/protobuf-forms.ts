// The protobuf bytes of objects: each message is made once per object and revision, when it is first asked for.
import { type Resource, type Stored, typeFacts } from "../../api/index.ts";
import { encodeEnvelope, encodeMessage, type FieldFacts, fieldHead, type TypeFacts } from "../../machinery/index.ts";

/** An item of a list: the message and what stands before it there. */
interface Encoded {
  readonly item: Uint8Array;
  readonly message: Uint8Array;
}

const ITEMS = 2;
/** By the object, so that the bytes go with it. A stored object is frozen: it never changes behind them. */
const encoded = new WeakMap<object, Encoded>();

/** What has an apiVersion and a kind, and for all else a type that tells how it is encoded. */
export interface TypedObject {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
}

/** The whole body of an object that is stored nowhere. */
export function protobufBody(object: object, facts: TypeFacts): Buffer {
  const { apiVersion = "", kind = "" } = object as TypedObject;
  return encodeEnvelope(apiVersion, kind, encodeMessage(object, facts));
}

/** The whole body of a stored object. */
export function storedBody(stored: Stored, facts: TypeFacts): Buffer {
  const { apiVersion = "", kind = "" } = stored.object;
  return encodeEnvelope(apiVersion, kind, encodedOnce(stored, facts).message);
}

/** A stored object as an item of a list. */
export function listItem(stored: Stored, facts: TypeFacts): Uint8Array {
  return encodedOnce(stored, facts).item;
}

function encodedOnce({ object }: Stored, facts: TypeFacts): Encoded {
  let known = encoded.get(object);
  if (known === undefined) {
    const message = encodeMessage(object, facts);
    const head = fieldHead(ITEMS, message.byteLength);
    const item = Buffer.concat([head, message]);
    known = { item, message: item.subarray(head.byteLength) };
    encoded.set(object, known);
  }
  return known;
}

function field(name: string, type: FieldFacts["type"], protobufNumber: number): [string, FieldFacts] {
  return [name, { name, type, isRequired: false, protobufNumber }];
}

const partialMetadataFacts: TypeFacts = {
  name: "meta.v1.PartialObjectMetadata",
  fields: new Map([field("metadata", { kind: "object", type: typeFacts("meta.v1.ObjectMeta") }, 1)]),
};

const partialListFacts: TypeFacts = {
  name: "meta.v1.PartialObjectMetadataList",
  fields: new Map([
    field("metadata", { kind: "object", type: typeFacts("meta.v1.ListMeta") }, 1),
    field("items", { kind: "list", items: { kind: "object", type: partialMetadataFacts } }, ITEMS),
  ]),
};

const metaFacts: Readonly<Record<string, TypeFacts>> = {
  Status: typeFacts("meta.v1.Status"),
  PartialObjectMetadata: partialMetadataFacts,
  PartialObjectMetadataList: partialListFacts,
};

/** The type of an answer: one of meta/v1, or what the (sub)resource speaks. */
export function factsOfAnswer({ kind = "" }: TypedObject, resource: Resource, subresource: string): TypeFacts {
  const row = resource.subresources[subresource];
  return metaFacts[kind] ?? (row === undefined ? resource.facts : typeFacts(row.type));
}

/** The type of a kind of meta/v1. */
export function metaTypeFacts(kind: "Status" | "PartialObjectMetadata" | "PartialObjectMetadataList"): TypeFacts {
  return metaFacts[kind] as TypeFacts;
}
