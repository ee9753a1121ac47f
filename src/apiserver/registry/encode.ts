// The form of stored values: an object's JSON with a fixed head (kind, apiVersion, metadata) and no resourceVersion, so
// that the revision can be spliced into the bytes without a second encode.
import { type FieldSet, fieldsText, type ManagedFieldsEntry, type ObjectMeta } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";

const encoder = new TextEncoder();

/** The stored bytes of `draft`, whose kind and apiVersion are set. */
export function encodeStored(draft: Draft): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = draft;
  const head = JSON.stringify({ kind, apiVersion });
  return encoder.encode(joinMembers(withMember(head, "metadata", metadataText(metadata)), JSON.stringify(rest)));
}

/** Most of an object's fields may stand in its managedFields, whose text is known where many objects share it. */
function metadataText({ resourceVersion: _, managedFields, ...metadata }: ObjectMeta): string {
  const text = JSON.stringify(metadata);
  if (managedFields === undefined) return text;
  return withMember(text, "managedFields", `[${managedFields.map(managerText).join(",")}]`);
}

function managerText({ fieldsV1, ...entry }: ManagedFieldsEntry): string {
  const text = JSON.stringify(entry);
  return fieldsV1 === undefined ? text : withMember(text, "fieldsV1", fieldsText(fieldsV1 as FieldSet));
}

function withMember(object: string, name: string, value: string): string {
  return joinMembers(object, `{"${name}":${value}}`);
}

/** The text of an object with the members of two. */
function joinMembers(first: string, second: string): string {
  if (first === "{}") return second;
  return second === "{}" ? first : `${first.slice(0, -1)},${second.slice(1)}`;
}

const METADATA_OPENING = Buffer.from('"metadata":{');

/** The bytes of `value` with `resourceVersion` as the first field of metadata. */
export function withResourceVersion(value: Uint8Array, revision: number): Uint8Array {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const at = bytes.indexOf(METADATA_OPENING) + METADATA_OPENING.length;
  const isEmpty = bytes[at] === 0x7d;
  const text = `"resourceVersion":"${revision}"${isEmpty ? "" : ","}`;
  const answer = Buffer.allocUnsafeSlow(bytes.length + text.length);
  bytes.copy(answer, 0, 0, at);
  answer.write(text, at, "latin1");
  bytes.copy(answer, at + text.length, at);
  return answer;
}

/** The stored bytes as an object, with its resourceVersion. */
export function decodeStored(value: Uint8Array, revision: number): Draft {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
  const object = JSON.parse(text) as Draft;
  object.metadata.resourceVersion = String(revision);
  return object;
}
