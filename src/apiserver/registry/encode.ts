// The form of stored values: an object's JSON with a fixed head (kind, apiVersion, metadata) and no resourceVersion, so
// that the revision can be spliced into the bytes without a second encode.
import type { ManagedFieldsEntry, ObjectMeta } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";

const encoder = new TextEncoder();

/** The stored bytes of `draft`, whose kind and apiVersion are set; `textOf` knows the JSON of sets of fields. */
export function encodeStored(draft: Draft, textOf: (set: object) => string): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = draft;
  const head = `${opened({ kind, apiVersion })}"metadata":${metadataText(metadata, textOf)}`;
  const tail = JSON.stringify(rest);
  return encoder.encode(tail === "{}" ? `${head}}` : `${head},${tail.slice(1)}`);
}

function metadataText({ resourceVersion: _, managedFields, ...metadata }: ObjectMeta, textOf: (set: object) => string): string {
  if (managedFields === undefined) return JSON.stringify(metadata);
  return `${opened(metadata)}"managedFields":[${managedFields.map((entry) => managerText(entry, textOf)).join(",")}]}`;
}

function managerText({ fieldsV1, ...entry }: ManagedFieldsEntry, textOf: (set: object) => string): string {
  if (typeof fieldsV1 !== "object" || fieldsV1 === null) return JSON.stringify(entry);
  return `${opened(entry)}"fieldsV1":${textOf(fieldsV1)}}`;
}

/** The JSON of `object`, ready for one more member. */
function opened(object: object): string {
  const text = JSON.stringify(object);
  return text === "{}" ? "{" : `${text.slice(0, -1)},`;
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
