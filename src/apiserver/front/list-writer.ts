// A LIST answer in JSON or protobuf: a head, the items' bytes, a tail; never one big string, never faster than the client
// reads.
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { type Resource, type Stored, type StoredList, typeFacts } from "../../api/index.ts";
import { encodeMessage, envelopeHead, fieldHead } from "../../machinery/index.ts";
import type { Exchange, FrontResponse } from "./exchange.ts";
import { CHUNK_BYTES, drained, gathered } from "./gathered.ts";
import { gzipAround } from "./gzip-parts.ts";
import { mediaTypes } from "./negotiation.ts";
import { listItem } from "./protobuf-forms.ts";
import { acceptsGzip, GZIP_LEVEL, GZIP_THRESHOLD_BYTES } from "./respond.ts";
import { copyJson, jsonLength } from "./stored-json.ts";

const COMMA = 0x2c;
const tail = Buffer.from("]}\n");
const NOTHING = Buffer.alloc(0);

/** Lists that are longer are joined anew for each client, so that memory does not hold them twice. */
const MAX_SHARED_BYTES = 16 * 2 ** 20;

/** A list's items as they are written. */
interface Items {
  readonly bytes: number;
  readonly chunks: () => Iterable<Uint8Array>;
}

/** The chunks of lists that were not too long, by format: shared by all who are answered with the same snapshot. */
const sharedItems = {
  json: new WeakMap<readonly Stored[], readonly Uint8Array[]>(),
  protobuf: new WeakMap<readonly Stored[], readonly Uint8Array[]>(),
};

/** Undefined for lists that are too long to be shared. */
function sharedChunks(list: StoredList, format: "json" | "protobuf", { bytes, chunks }: Items): readonly Uint8Array[] | undefined {
  if (bytes > MAX_SHARED_BYTES) return undefined;
  let known = sharedItems[format].get(list.items);
  if (known === undefined) sharedItems[format].set(list.items, (known = [...chunks()]));
  return known;
}

/** The items' JSON with commas between, `totalBytes` in all, in pieces of about CHUNK_BYTES. */
function* joined(items: readonly Stored[], totalBytes: number): Generator<Buffer> {
  let left = totalBytes;
  let chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, left));
  let end = 0;
  for (const [index, item] of items.entries()) {
    const length = jsonLength(item);
    const needed = index === 0 ? length : 1 + length;
    if (end + needed > chunk.length) {
      if (end > 0) yield chunk.subarray(0, end);
      chunk = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(CHUNK_BYTES, left)));
      end = 0;
    }
    if (index > 0) chunk[end] = COMMA;
    end += needed;
    left -= needed;
    copyJson(item, chunk, end - length);
  }
  if (end > 0) yield chunk.subarray(0, end);
}

/** A whole answer. */
interface ListBody {
  readonly contentType: string;
  readonly head: Uint8Array;
  readonly items: Items;
  readonly tail: Uint8Array;
}

export function writeList(exchange: Exchange, resource: Resource, list: StoredList, format: "json" | "protobuf"): Promise<void> {
  const body = format === "json" ? jsonBody(resource, list) : protobufBody(resource, list);
  return writeBodyOf(exchange, body, sharedChunks(list, format, body.items));
}

function jsonBody({ listKind, apiVersion }: Resource, list: StoredList): ListBody {
  const { items } = list;
  const head = Buffer.from(`{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(listMeta(list))},"items":[`);
  let bytes = Math.max(0, items.length - 1);
  for (const item of items) bytes += jsonLength(item);
  return { contentType: mediaTypes.json, head, items: { bytes, chunks: () => joined(items, bytes) }, tail };
}

function protobufBody({ listKind, apiVersion, facts }: Resource, list: StoredList): ListBody {
  const metadata = encodeMessage(listMeta(list), typeFacts("meta.v1.ListMeta"));
  const metadataHead = fieldHead(1, metadata.byteLength);
  const items = list.items.map((item) => listItem(item, facts));
  let bytes = 0;
  for (const item of items) bytes += item.byteLength;
  const envelope = envelopeHead(apiVersion, listKind, metadataHead.byteLength + metadata.byteLength + bytes);
  const head = Buffer.concat([envelope, metadataHead, metadata]);
  return { contentType: mediaTypes.protobuf, head, items: { bytes, chunks: () => gathered(items) }, tail: NOTHING };
}

/** A list's metadata without what does not apply. */
export function listMeta({ resourceVersion, continue: next, remainingItemCount }: StoredList): object {
  return {
    resourceVersion,
    ...(next === undefined || next === "" ? {} : { continue: next }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
}

async function writeBodyOf({ request, response }: Exchange, body: ListBody, shared: readonly Uint8Array[] | undefined): Promise<void> {
  const { contentType, head, items, tail } = body;
  const size = head.byteLength + items.bytes + tail.byteLength;
  const isPacked = request.method !== "HEAD" && size >= GZIP_THRESHOLD_BYTES && acceptsGzip(request);
  const type = { "Content-Type": contentType };
  const packedType = { ...type, "Content-Encoding": "gzip", Vary: "Accept-Encoding" };
  if (isPacked && shared !== undefined) {
    const parts = await gzipAround(head, shared, tail);
    response.writeHead(200, { ...packedType, "Content-Length": parts.reduce((sum, part) => sum + part.byteLength, 0) });
    await writeAll(response, gathered(parts));
  } else if (isPacked) {
    response.writeHead(200, packedType);
    await writeAll(response, Readable.from(wholeBody(body)).pipe(createGzip({ level: GZIP_LEVEL })));
  } else {
    response.writeHead(200, { ...type, "Content-Length": size });
    await writeAll(response, request.method === "HEAD" ? [] : wholeBody(body, shared));
  }
}

function* wholeBody({ head, items, tail }: ListBody, chunks: Iterable<Uint8Array> = items.chunks()): Generator<Uint8Array> {
  yield head;
  yield* chunks;
  if (tail.byteLength > 0) yield tail;
}

async function writeAll(response: FrontResponse, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  let isClosed = false;
  response.once("close", () => {
    isClosed = true;
  });
  for await (const chunk of chunks) {
    if (isClosed) return;
    if (!response.write(chunk)) await drained(response);
  }
  response.end();
}
