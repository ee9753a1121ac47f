// How entries and numbers lie in the file: big-endian doubles, exact up to 2^53.
import type { StoreEntry } from "../store.ts";

/** Stands in the file, so that a later layout is recognised. */
export const ENTRY_VERSION = 1;

/** createRevision and modRevision stand before the value. */
const HEADER_BYTES = 16;

export function encodeEntry(entry: StoreEntry): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + entry.value.length);
  bytes.writeDoubleBE(entry.createRevision, 0);
  bytes.writeDoubleBE(entry.modRevision, 8);
  bytes.set(entry.value, HEADER_BYTES);
  return bytes;
}

export function decodeEntry(key: string, bytes: Buffer): StoreEntry {
  return {
    key,
    value: bytes.subarray(HEADER_BYTES),
    createRevision: bytes.readDoubleBE(0),
    modRevision: bytes.readDoubleBE(8),
  };
}

export function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

export function decodeNumber(bytes: Buffer): number {
  return bytes.readDoubleBE(0);
}
