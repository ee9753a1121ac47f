// A WATCH answer: one frame an event, in JSON a line each. The frame of a change is made once and shared by all watchers.
import type { Resource, Stored, StoredWatchEvent } from "../../api/index.ts";
import { encodeWatchFrame, type TypeFacts } from "../../machinery/index.ts";
import { encodeCbor } from "./cbor.ts";
import type { FrontResponse } from "./exchange.ts";
import { CHUNK_BYTES, drained, gathered } from "./gathered.ts";
import { type Format, streamTypes } from "./negotiation.ts";
import { factsOfAnswer, metaTypeFacts, protobufBody, storedBody } from "./protobuf-forms.ts";
import { copyJson, jsonLength } from "./stored-json.ts";
import { type MetaVersion, partialMetadata, type TableOptions, tableOf } from "./table.ts";

type Change = Extract<StoredWatchEvent, { readonly stored: Stored }>;

const tail = Buffer.from("}\n");

/** A change in JSON, made from the object's bytes in a chunk of HTTP/1.1. */
function jsonFrame({ type, stored }: Change): Buffer {
  const head = `{"type":"${type}","object":`;
  const length = jsonLength(stored);
  const { chunk, content: frame } = emptyChunk(head.length + length + tail.length);
  frame.write(head, 0, "latin1");
  copyJson(stored, frame, head.length);
  frame.set(tail, head.length + length);
  chunks.set(frame, chunk);
  return frame;
}

/** By the change, so that frames go when it is not recent any more; then by what they are for and the event's type. */
const sharedFrames = new WeakMap<object, Map<string, Uint8Array | string>>();

/** The encoder's frame, made once for all watches that `form` names alike. */
function shared(form: string, encode: (change: Change) => Uint8Array | string): (change: Change) => Uint8Array | string {
  const keys = { ADDED: `${form} ADDED`, MODIFIED: `${form} MODIFIED`, DELETED: `${form} DELETED` };
  return (event) => {
    if (event.change === undefined) return encode(event);
    let frames = sharedFrames.get(event.change);
    if (frames === undefined) sharedFrames.set(event.change, (frames = new Map()));
    const key = keys[event.type];
    let frame = frames.get(key);
    if (frame === undefined) frames.set(key, (frame = encode(event)));
    return frame;
  };
}

/** Turns an event into the bytes of one frame. */
export type FrameEncoder = (event: StoredWatchEvent) => Uint8Array | string;

const initialEventsEnd = { "k8s.io/initial-events-end": "true" };

function bookmarkMeta(event: Extract<StoredWatchEvent, { type: "BOOKMARK" }>) {
  return { resourceVersion: event.resourceVersion, ...(event.isInitialEventsEnd ? { annotations: initialEventsEnd } : {}) };
}

/** Makes frames of objects that no one shares. */
type Framing = (type: string, object: object, facts: TypeFacts) => Uint8Array | string;

const framings: Readonly<Record<Format, Framing>> = {
  json: (type, object) => `${JSON.stringify({ type, object })}\n`,
  yaml: () => {
    throw new Error("there are no watches in YAML");
  },
  cbor: (type, object) => encodeCbor({ type, object }),
  protobuf: (type, object, facts) => encodeWatchFrame(type, protobufBody(object, facts)),
};

export function objectFrames(resource: Resource, format: Format): FrameEncoder {
  const { kind, apiVersion, facts } = resource;
  const frame = framings[format];
  const ofChange = shared(`${format} ${apiVersion}`, (event) => {
    if (format === "json") return jsonFrame(event);
    if (format === "protobuf") return encodeWatchFrame(event.type, storedBody(event.stored, facts));
    return frame(event.type, event.stored.object, factsOfAnswer(event.stored.object, resource, ""));
  });
  return (event) => {
    if (event.type === "BOOKMARK") return frame("BOOKMARK", { kind, apiVersion, metadata: bookmarkMeta(event) }, facts);
    if (event.type === "ERROR") return frame("ERROR", event.status, metaTypeFacts("Status"));
    return ofChange(event);
  };
}

export function metadataFrames(format: Format, version: MetaVersion | undefined): FrameEncoder {
  const frame = framings[format];
  const facts = metaTypeFacts("PartialObjectMetadata");
  const of = (type: string, object: { readonly metadata: unknown }) => frame(type, partialMetadata(object, version), facts);
  const ofChange = shared(`${format} metadata ${version}`, ({ type, stored }) => of(type, stored.object));
  return (event) => {
    if (event.type === "ERROR") return frame("ERROR", event.status, metaTypeFacts("Status"));
    return event.type === "BOOKMARK" ? of("BOOKMARK", { metadata: bookmarkMeta(event) }) : ofChange(event);
  };
}

/** Tables of one row; only the first has the column definitions. `nowMs` is asked at every event, for ages. */
export function tableFrames(resource: Resource, options: Omit<TableOptions, "nowMs">, nowMs: () => number): FrameEncoder {
  const { include, version } = options;
  let withoutHeader = false;
  const frame = (type: string, object: object) => framings.json(type, object, resource.facts);
  const rowFrame = ({ type, stored }: Change, tableOptions: TableOptions) => {
    const metadata = { resourceVersion: stored.object.metadata.resourceVersion };
    return frame(type, tableOf(resource, [stored], metadata, tableOptions));
  };
  return (event) => {
    if (event.type === "ERROR") return frame("ERROR", event.status);
    const tableOptions = { ...options, nowMs: nowMs(), withoutHeader };
    withoutHeader = true;
    if (event.type === "BOOKMARK") {
      const table = tableOf(resource, [], bookmarkMeta(event), tableOptions);
      const bare = { object: { kind: resource.kind, apiVersion: resource.apiVersion, metadata: bookmarkMeta(event) } };
      return frame("BOOKMARK", { ...table, rows: [{ cells: [], ...bare }] });
    }
    if (!tableOptions.withoutHeader) return rowFrame(event, tableOptions);
    // Ages are told in seconds: who asks in the same one gets the same.
    const second = Math.floor(tableOptions.nowMs / 1000);
    return shared(`table ${resource.apiVersion} ${include} ${version} ${second}`, (change) => rowFrame(change, tableOptions))(event);
  };
}

export interface WatchAnswer {
  readonly batches: AsyncIterable<readonly StoredWatchEvent[]>;
  readonly encode: FrameEncoder;
  readonly format: Format;
  readonly signal: AbortSignal;
  /** Told how many events were sent. */
  sent(count: number): void;
}

/** Writes batches of events until they end or the client is gone. */
export async function writeWatch(response: FrontResponse, { batches, encode, format, signal, sent }: WatchAnswer): Promise<void> {
  response.writeHead(200, { "Content-Type": streamTypes[format] ?? "" });
  response.flushHeaders?.();
  // Chunks are made here once for all watchers; http would write each in four parts.
  const isChunked = response.chunkedEncoding === true;
  if (isChunked) response.chunkedEncoding = false;
  const bytesOf = isChunked ? (event: StoredWatchEvent) => chunkOf(encode(event)) : (event: StoredWatchEvent) => asBytes(encode(event));
  for await (const batch of batches) {
    if (signal.aborted) break;
    for (const piece of piecesOf(batch, bytesOf)) {
      if (!response.write(piece)) await drained(response);
      if (signal.aborted) break;
    }
    sent(batch.length);
  }
  response.end(isChunked ? LAST_CHUNK : undefined);
}

/** A longer batch is not made as a whole. */
const MAX_JOINED = 32;

/** By the first of them, what chunks became together: watches that take the same changes at once share it. */
const joined = new WeakMap<Uint8Array, { readonly chunks: readonly Uint8Array[]; readonly whole: Uint8Array }>();

/** A batch in large pieces; most have but one event. */
function piecesOf(batch: readonly StoredWatchEvent[], bytesOf: (event: StoredWatchEvent) => Uint8Array): Iterable<Uint8Array> {
  if (batch.length > MAX_JOINED) return gathered(batch.values().map(bytesOf));
  const chunks = batch.map(bytesOf);
  const [first] = chunks;
  if (first === undefined || chunks.length === 1) return chunks;
  if (chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) > CHUNK_BYTES) return gathered(chunks);
  const known = joined.get(first);
  if (known?.chunks.length === chunks.length && known.chunks.every((chunk, index) => chunk === chunks[index])) return [known.whole];
  const whole = Buffer.concat(chunks);
  joined.set(first, { chunks, whole });
  return [whole];
}

const asBytes = (frame: Uint8Array | string) => (typeof frame === "string" ? Buffer.from(frame) : frame);

const CRLF = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
/** By their frames; a frame that is shared is made a chunk once. */
const chunks = new WeakMap<Uint8Array, Buffer>();

/** A frame as a chunk of an HTTP/1.1 body. */
function chunkOf(frame: Uint8Array | string): Buffer {
  if (typeof frame === "string") return asChunk(Buffer.from(frame));
  let chunk = chunks.get(frame);
  if (chunk === undefined) chunks.set(frame, (chunk = asChunk(frame)));
  return chunk;
}

function asChunk(bytes: Uint8Array): Buffer {
  const { chunk, content } = emptyChunk(bytes.byteLength);
  content.set(bytes);
  return chunk;
}

/** A chunk whose content of `size` bytes is yet to be filled in. */
function emptyChunk(size: number): { readonly chunk: Buffer; readonly content: Buffer } {
  const opening = `${size.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafeSlow(opening.length + size + CRLF.length);
  chunk.write(opening, 0, "latin1");
  chunk.set(CRLF, opening.length + size);
  return { chunk, content: chunk.subarray(opening.length, opening.length + size) };
}
