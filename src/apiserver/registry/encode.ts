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

/** What is put in front of metadata's other fields; it always has some. */
function versionField(revision: number): string {
  return `"resourceVersion":"${revision}",`;
}

/** How many bytes `copyWithResourceVersion` writes. */
export function bytesWithResourceVersion(value: Uint8Array, revision: number): number {
  return value.byteLength + versionField(revision).length;
}

/** Writes the bytes of `value`, with `resourceVersion` as the first field of metadata, into `target`. */
export function copyWithResourceVersion(value: Uint8Array, revision: number, target: Buffer, at: number): void {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const split = bytes.indexOf(METADATA_OPENING) + METADATA_OPENING.length;
  const field = versionField(revision);
  bytes.copy(target, at, 0, split);
  target.write(field, at + split, "latin1");
  bytes.copy(target, at + split + field.length, split);
}

/** The stored bytes as an object, with its resourceVersion; `parse` understands their text. */
export function decodeStored(value: Uint8Array, revision: number, parse: (text: string) => Draft): Draft {
  const object = parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8"));
  object.metadata.resourceVersion = String(revision);
  return object;
}
