// A document that many clients fetch and that seldom changes: its bytes, plain and compressed, and its ETag.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Exchange, header } from "./exchange.ts";
import { acceptsGzip } from "./respond.ts";

/** Smaller documents are sent as they are. */
const COMPRESS_FROM_BYTES = 8 * 1024;

export interface CachedDocument {
  readonly body: Uint8Array;
  /** Without its quotes. */
  readonly hash: string;
  /** Compressed; made when first asked for. undefined for small documents. */
  packed(): Uint8Array | undefined;
  readonly contentType: string;
}

export function cachedDocument(content: unknown, contentType: string): CachedDocument {
  const body = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
  const hash = createHash("sha512").update(body).digest("hex").toUpperCase();
  let packed: Uint8Array | undefined;
  const pack = () => {
    if (body.byteLength >= COMPRESS_FROM_BYTES) packed ??= gzipSync(body, { level: 6 });
    return packed;
  };
  return { body, hash, packed: pack, contentType };
}

/** Answers with the document, or 304 when the client has it. */
export function writeDocument({ request, response }: Exchange, document: CachedDocument): void {
  const etag = `"${document.hash}"`;
  const headers = { "Content-Type": document.contentType, ETag: etag, Vary: "Accept, Accept-Encoding" };
  if (header(request, "if-none-match") === etag) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  const packed = acceptsGzip(request) ? document.packed() : undefined;
  const body = packed ?? document.body;
  response.writeHead(200, {
    ...headers,
    "Content-Length": body.byteLength,
    ...(packed !== undefined ? { "Content-Encoding": "gzip" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
