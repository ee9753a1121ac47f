// Many small pieces of an answer on their way to the socket: joined, and no faster than the client reads.
import type { FrontResponse } from "./exchange.ts";

/** Bytes gathered before they are given to the socket: few system calls, little memory for a slow client. */
export const CHUNK_BYTES = 256 * 1024;

/** `parts` joined to pieces of about CHUNK_BYTES; one alone is not copied. */
export function* gathered(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  for (const part of parts) {
    pieces.push(part);
    size += part.byteLength;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    size = 0;
  }
  const [first] = pieces;
  if (first !== undefined) yield pieces.length === 1 ? first : Buffer.concat(pieces);
}

/** Until the client has read enough, or is gone. */
export function drained(response: FrontResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
