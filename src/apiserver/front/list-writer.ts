// A LIST answer in JSON or protobuf: a head, the items' bytes, a tail; never one big string, never faster than the client
// reads.
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { type Resource, type Stored, type StoredList, typeFacts } from "../../api/index.ts";
import { encodeMessage, envelopeHead, fieldHead } from "../../machinery/index.ts";
import type { Exchange, FrontResponse } from "./exchange.ts";
import { CHUNK_BYTES, drained, gathered } from "./gathered.ts";
import { mediaTypes } from "./negotiation.ts";
import { listItem } from "./protobuf-forms.ts";
import { acceptsGzip, GZIP_LEVEL, GZIP_THRESHOLD_BYTES } from "./respond.ts";
import { copyJson, jsonLength } from "./stored-json.ts";

const COMMA = 0x2c;
const tail = Buffer.from("]}\n");

/** The items of lists that were not too long, joined: shared by all who are answered with the same snapshot. */
const joinedItems = new WeakMap<readonly Stored[], readonly Buffer[]>();
/** Longer lists are joined anew for each client, so that memory does not hold them twice. */
const MAX_SHARED_BYTES = 16 * 2 ** 20;

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

function sharedChunks(items: readonly Stored[], totalBytes: number): Iterable<Buffer> {
  if (totalBytes > MAX_SHARED_BYTES) return joined(items, totalBytes);
  const known = joinedItems.get(items);
  if (known !== undefined) return known;
  const chunks = [...joined(items, totalBytes)];
  joinedItems.set(items, chunks);
  return chunks;
}

function* wholeBody(head: Buffer, chunks: Iterable<Buffer>): Generator<Buffer> {
  yield head;
  yield* chunks;
  yield tail;
}

/** A whole answer, its size known before it is made. */
interface ListBody {
  readonly contentType: string;
  readonly size: number;
  readonly chunks: Iterable<Uint8Array>;
}

export function writeList(exchange: Exchange, resource: Resource, list: StoredList, format: "json" | "protobuf"): Promise<void> {
  return writeBodyOf(exchange, format === "json" ? jsonBody(resource, list) : protobufBody(resource, list));
}

function jsonBody(resource: Resource, list: StoredList): ListBody {
  const { items } = list;
  const metadata = JSON.stringify(listMeta(list));
  const head = Buffer.from(`{"kind":"${resource.listKind}","apiVersion":"${resource.apiVersion}","metadata":${metadata},"items":[`);
  let itemBytes = Math.max(0, items.length - 1);
  for (const item of items) itemBytes += jsonLength(item);
  const size = head.byteLength + itemBytes + tail.byteLength;
  return { contentType: mediaTypes.json, size, chunks: wholeBody(head, sharedChunks(items, itemBytes)) };
}

function protobufBody({ listKind, apiVersion, facts }: Resource, list: StoredList): ListBody {
  const metadata = encodeMessage(listMeta(list), typeFacts("meta.v1.ListMeta"));
  const metadataHead = fieldHead(1, metadata.byteLength);
  const items = list.items.map((item) => listItem(item, facts));
  let length = metadataHead.byteLength + metadata.byteLength;
  for (const item of items) length += item.byteLength;
  const head = envelopeHead(apiVersion, listKind, length);
  return { contentType: mediaTypes.protobuf, size: head.byteLength + length, chunks: gathered([head, metadataHead, metadata, ...items]) };
}

/** A list's metadata without what does not apply. */
export function listMeta({ resourceVersion, continue: next, remainingItemCount }: StoredList): object {
  return {
    resourceVersion,
    ...(next === undefined || next === "" ? {} : { continue: next }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
}

async function writeBodyOf({ request, response }: Exchange, { contentType, size, chunks }: ListBody): Promise<void> {
  if (request.method === "HEAD") {
    response.writeHead(200, { "Content-Type": contentType, "Content-Length": size });
    response.end();
  } else if (size >= GZIP_THRESHOLD_BYTES && acceptsGzip(request)) {
    response.writeHead(200, { "Content-Type": contentType, "Content-Encoding": "gzip", Vary: "Accept-Encoding" });
    await writeAll(response, Readable.from(chunks).pipe(createGzip({ level: GZIP_LEVEL })));
  } else {
    response.writeHead(200, { "Content-Type": contentType, "Content-Length": size });
    await writeAll(response, chunks);
  }
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
