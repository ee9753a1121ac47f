// Header blocks of SPDY/3.1. They are one zlib stream over the whole connection, flushed after each block. The few short ones
// that are sent from here are not worth compressing: they go as stored blocks, which every inflater reads.

/** zlib's header: deflate with a window of 32 KiB, no preset dictionary. */
const ZLIB_HEADER = Buffer.from([0x78, 0x01]);
/** An empty stored block, by which a reader knows that it has all that came before. */
const FLUSH = storedBlock(Buffer.alloc(0));

export class HeaderBlocks {
  #hasBegun = false;

  /** The block for a frame. Names are in small letters; all blocks of a connection come from one encoder, in their order. */
  encode(headers: Readonly<Record<string, string>>): Buffer {
    const entries = Object.entries(headers);
    const pairs = entries.flatMap(([name, value]) => [text(name), text(value)]);
    const block = Buffer.concat([uint32(entries.length), ...pairs]);
    const parts = [...(this.#hasBegun ? [] : [ZLIB_HEADER]), storedBlock(block), FLUSH];
    this.#hasBegun = true;
    return Buffer.concat(parts);
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([uint32(bytes.byteLength), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A deflate block of less than 64 KiB that is not compressed and not the last. */
function storedBlock(data: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(data.byteLength, 1);
  head.writeUInt16LE(data.byteLength ^ 0xffff, 3);
  return Buffer.concat([head, data]);
}
