// A LIST answer: a head, the stored items' bytes joined by commas, a tail; never one big string, never faster than the
// client reads.
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { Resource, Stored, StoredList } from "../../api/index.ts";
import type { Exchange, FrontResponse } from "./exchange.ts";
import { acceptsGzip, GZIP_LEVEL, GZIP_THRESHOLD_BYTES } from "./respond.ts";

/** Bytes gathered before they are given to the socket: few system calls, little memory for a slow client. */
const CHUNK_BYTES = 256 * 1024;
const comma = Buffer.from(",");
const tail = Buffer.from("]}\n");

/** The items of lists that were not too long, joined: shared by all who are answered with the same snapshot. */
const joinedItems = new WeakMap<readonly Stored[], readonly Buffer[]>();
/** Longer lists are joined anew for each client, so that memory does not hold them twice. */
const MAX_SHARED_BYTES = 16 * 2 ** 20;

/** The items' bytes with commas between, in pieces of about CHUNK_BYTES. */
function* chunksOf(items: readonly Stored[]): Generator<Buffer> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  for (let i = 0; i < items.length; i++) {
    const json = items[i]?.json;
    if (json === undefined) continue;
    if (i > 0) pieces.push(comma);
    pieces.push(json);
    size += json.byteLength + 1;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    size = 0;
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}

function sharedChunks(items: readonly Stored[], totalBytes: number): Iterable<Buffer> {
  if (totalBytes > MAX_SHARED_BYTES) return chunksOf(items);
  const known = joinedItems.get(items);
  if (known !== undefined) return known;
  const joined = [...chunksOf(items)];
  joinedItems.set(items, joined);
  return joined;
}

function* wholeBody(head: Buffer, chunks: Iterable<Buffer>): Generator<Buffer> {
  yield head;
  yield* chunks;
  yield tail;
}

export async function writeList(exchange: Exchange, resource: Resource, list: StoredList): Promise<void> {
  const { request, response } = exchange;
  const { items, resourceVersion, continue: next, remainingItemCount } = list;
  const metadata = JSON.stringify({ resourceVersion, ...(next === "" ? {} : { continue: next }), remainingItemCount });
  const head = Buffer.from(`{"kind":"${resource.listKind}","apiVersion":"${resource.apiVersion}","metadata":${metadata},"items":[`);
  let size = head.byteLength + tail.byteLength + Math.max(0, items.length - 1);
  for (const item of items) size += item.json.byteLength;
  const body = wholeBody(head, sharedChunks(items, size));
  if (request.method === "HEAD") {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": size });
    response.end();
  } else if (size >= GZIP_THRESHOLD_BYTES && acceptsGzip(request)) {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Encoding": "gzip", Vary: "Accept-Encoding" });
    await writeAll(response, Readable.from(body).pipe(createGzip({ level: GZIP_LEVEL })));
  } else {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": size });
    await writeAll(response, body);
  }
}

async function writeAll(response: FrontResponse, chunks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
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
