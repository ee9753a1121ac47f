// The client's end of a SPDY/3.1 connection, as far as kubelets and container runtimes speak it: streams that are opened
// from here. There are no flow-control windows in it; who reads slowly makes the whole connection wait.
import { Duplex } from "node:stream";
import { HeaderBlocks } from "./spdy-headers.ts";

/** Control frames by their type. */
const SYN_STREAM = 1;
const RST_STREAM = 3;
const PING = 6;

const CONTROL = 0x8000_0000;
const VERSION = 3;
const FLAG_FIN = 0x01;
const HEADER_BYTES = 8;
const LENGTH_MASK = 0xff_ffff;
/** Runtimes send frames of some ten thousand bytes. */
const MAX_FRAME_BYTES = 2 ** 20;

export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #headers = new HeaderBlocks();
  readonly #streams = new Map<number, SpdyStream>();
  /** Streams whose reader has enough for now. */
  readonly #full = new Set<SpdyStream>();
  #received: Buffer;
  #nextId = 1;

  /** `socket` has been switched to SPDY; `head` is what came with the switch. */
  constructor(socket: Duplex, head: Buffer = Buffer.alloc(0)) {
    this.#socket = socket;
    this.#received = head;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    for (const event of ["error", "end", "close"]) socket.on(event, () => this.destroy());
    if (head.byteLength > 0) this.#take(Buffer.alloc(0));
  }

  /** Opens a stream. Names of headers are in small letters. */
  open(headers: Readonly<Record<string, string>>): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new SpdyStream({
      send: (data, isLast, done) => this.#send(dataFrame(id, data, isLast), done),
      wantsMore: (which) => this.#wantsMore(which),
    });
    this.#streams.set(id, stream);
    stream.once("close", () => {
      this.#streams.delete(id);
      this.#wantsMore(stream);
    });
    const fixed = Buffer.alloc(10);
    fixed.writeUInt32BE(id, 0);
    this.#send(controlFrame(SYN_STREAM, Buffer.concat([fixed, this.#headers.encode(headers)])));
    return stream;
  }

  /** Ends the connection and all of its streams; what has come on them may still be read. */
  destroy(): void {
    for (const stream of this.#streams.values()) stream.abandoned();
    this.#streams.clear();
    this.#socket.destroy();
  }

  #send(frame: Buffer, done?: () => void): void {
    if (this.#socket.destroyed) done?.();
    else if (this.#socket.write(frame)) done?.();
    else if (done !== undefined) this.#socket.once("drain", done);
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.byteLength === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.byteLength >= HEADER_BYTES && !this.#socket.destroyed) {
      const length = this.#received.readUInt32BE(4) & LENGTH_MASK;
      if (length > MAX_FRAME_BYTES) {
        this.destroy();
        return;
      }
      if (this.#received.byteLength < HEADER_BYTES + length) return;
      const frame = this.#received.subarray(0, HEADER_BYTES + length);
      this.#received = this.#received.subarray(HEADER_BYTES + length);
      this.#handle(frame);
    }
  }

  #handle(frame: Buffer): void {
    const first = frame.readUInt32BE(0);
    const isLast = ((frame[4] ?? 0) & FLAG_FIN) !== 0;
    const payload = frame.subarray(HEADER_BYTES);
    if (first < CONTROL) {
      this.#handleData(first, payload, isLast);
      return;
    }
    switch (first & 0xffff) {
      case PING:
        // One that we did not send is sent back as it is.
        if (payload.byteLength === 4 && payload.readUInt32BE(0) % 2 === 0) this.#send(Buffer.from(frame));
        return;
      case RST_STREAM:
        // Streams are ended so when a command has ended, too.
        if (payload.byteLength >= 4) this.#streams.get(payload.readUInt32BE(0))?.abandoned();
        return;
      default:
      // Replies to streams say nothing that anyone here waits for, nor do settings and windows. An end that goes away closes.
    }
  }

  #handleData(id: number, data: Buffer, isLast: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (data.byteLength > 0 && !stream.received(data)) {
      this.#full.add(stream);
      this.#socket.pause();
    }
    if (isLast) stream.receivedAll();
  }

  #wantsMore(stream: SpdyStream): void {
    if (this.#full.delete(stream) && this.#full.size === 0) this.#socket.resume();
  }
}

interface StreamTools {
  readonly send: (data: Uint8Array, isLast: boolean, done: () => void) => void;
  readonly wantsMore: (stream: SpdyStream) => void;
}

/** One stream; each direction ends by itself. */
export class SpdyStream extends Duplex {
  readonly #tools: StreamTools;
  #hasAll = false;
  #isAbandoned = false;

  constructor(tools: StreamTools) {
    super({ allowHalfOpen: true });
    this.#tools = tools;
  }

  /** Whether its reader takes more. */
  received(data: Buffer): boolean {
    return this.#hasAll || this.push(data);
  }

  receivedAll(): void {
    if (!this.#hasAll) this.push(null);
    this.#hasAll = true;
  }

  /** The other end neither sends nor takes any more: what is written goes nowhere. */
  abandoned(): void {
    this.#isAbandoned = true;
    this.receivedAll();
  }

  override _read(): void {
    this.#tools.wantsMore(this);
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    if (this.#isAbandoned) done();
    else this.#tools.send(chunk, false, done);
  }

  override _final(done: () => void): void {
    if (this.#isAbandoned) done();
    else this.#tools.send(Buffer.alloc(0), true, done);
  }
}

function dataFrame(id: number, data: Uint8Array, isLast: boolean): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + data.byteLength);
  frame.writeUInt32BE(id, 0);
  frame.writeUInt32BE(data.byteLength, 4);
  frame[4] = isLast ? FLAG_FIN : 0;
  frame.set(data, HEADER_BYTES);
  return frame;
}

function controlFrame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(payload.byteLength, 4);
  return Buffer.concat([head, payload]);
}
