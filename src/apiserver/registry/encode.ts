// The form of stored values: an object's JSON with a fixed head (kind, apiVersion, metadata) and no resourceVersion, so
// that the revision can be spliced into the bytes without a second encode.
import type { Draft } from "./draft.ts";

const encoder = new TextEncoder();

/** The stored bytes of `draft`, whose kind and apiVersion are set. */
export function encodeStored(draft: Draft): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = draft;
  const { resourceVersion: _, ...storedMetadata } = metadata;
  return encoder.encode(JSON.stringify({ kind, apiVersion, metadata: storedMetadata, ...rest }));
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
