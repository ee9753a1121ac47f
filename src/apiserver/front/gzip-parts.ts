// Gzip (RFC 1952) of answers whose largest part many clients get alike: that part is compressed once.
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { constants, crc32, createDeflateRaw, deflateRawSync } from "node:zlib";
import { GZIP_LEVEL } from "./respond.ts";

/** The method is deflate; no name, no time, made on Unix. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
const TRAILER_BYTES = 8;

/** Ends at a whole byte, and leaves open what follows. */
const open = { level: GZIP_LEVEL, finishFlush: constants.Z_SYNC_FLUSH };

/** What `chunks` were compressed to. */
const compressed = new WeakMap<readonly Uint8Array[], Promise<Uint8Array>>();

function compressedOnce(chunks: readonly Uint8Array[]): Promise<Uint8Array> {
  let known = compressed.get(chunks);
  if (known === undefined) compressed.set(chunks, (known = buffer(Readable.from(chunks).pipe(createDeflateRaw(open)))));
  return known;
}

/** A gzip file of `head`, `chunks` and `tail`; the array of `chunks` is compressed when it is seen for the first time. */
export async function gzipAround(head: Uint8Array, chunks: readonly Uint8Array[], tail: Uint8Array): Promise<readonly Uint8Array[]> {
  const middle = await compressedOnce(chunks);
  const plain = [head, ...chunks, tail];
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(plain.reduce((sum, part) => crc32(part, sum), 0));
  // Modulo 2^32 by RFC 1952; nothing that is shared is that long.
  trailer.writeUInt32LE(
    plain.reduce((sum, { byteLength }) => sum + byteLength, 0),
    4,
  );
  return [HEADER, deflateRawSync(head, open), middle, deflateRawSync(tail, { level: GZIP_LEVEL }), trailer];
}
