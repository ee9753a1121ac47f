// One request and its answer: what endpoints work on, the same for HTTP/1.1, HTTP/2 and tests without a port.
import type { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import type { UserInfo } from "../../api/index.ts";
import type { AuditRecord } from "../audit/index.ts";
import type { RequestInfo } from "./request-info.ts";

export type HeaderValue = string | number | readonly string[];

/** What the front reads of http's IncomingMessage and http2's Http2ServerRequest. */
export interface FrontRequest extends Readable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly httpVersionMajor: number;
  readonly socket: object;
  readonly stream?: { readonly session?: object | undefined } | undefined;
}

/** What the front uses of http's ServerResponse and http2's Http2ServerResponse. */
export interface FrontResponse extends EventEmitter {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  /** HTTP/1.1 alone: whether what is written is made a chunk, known once the headers are sent. */
  chunkedEncoding?: boolean;
  setHeader(name: string, value: HeaderValue): unknown;
  writeHead(statusCode: number, headers?: Readonly<Record<string, HeaderValue>>): unknown;
  write(chunk: Uint8Array | string): boolean;
  end(chunk?: Uint8Array | string): unknown;
  flushHeaders?(): void;
  destroy(error?: Error): unknown;
}

export interface Exchange {
  readonly request: FrontRequest;
  readonly response: FrontResponse;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  /** To be called when a watch has begun: from then on it costs no more than its events. */
  readonly started?: (() => void) | undefined;
  /** Absent: the request is not recorded. */
  readonly audit?: AuditRecord | undefined;
}

/** Answers the requests below one first path segment. Rejects with StatusError for an error answer. */
export interface Endpoint {
  serve(exchange: Exchange): Promise<void> | void;
}

/** A header that comes once; the first value otherwise. */
export function header(request: Pick<FrontRequest, "headers">, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" || value === undefined ? value : value[0];
}
