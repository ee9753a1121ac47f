// HTTP requests to one server over connections that are kept. HTTP/1.1: every server and proxy speaks it, and a broken
// connection concerns one call. A watch holds a connection of its own.
import http from "node:http";
import https from "node:https";
import type { Clock } from "../../base/index.ts";
import { StatusError } from "../../machinery/index.ts";
import { ConnectionError } from "../connection-error.ts";
import { errorOf } from "./response-error.ts";

export interface TransportOptions {
  /** `https:` or `http:`; a path before the API's is kept. */
  readonly server: URL;
  /** PEM: whom to trust. Default: the system's authorities. */
  readonly ca?: string | undefined;
  /** PEM: who calls. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the server's certificate must have, when not the URL's. */
  readonly serverName?: string | undefined;
  /** Trusts any server. */
  readonly isInsecure?: boolean | undefined;
  readonly token?: string | undefined;
  /** Asked before each request; for tokens that change. */
  readonly tokenSource?: (() => string | Promise<string>) | undefined;
  readonly userAgent: string;
  readonly clock: Pick<Clock, "sleep">;
}

export interface TransportRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query. */
  readonly path: string;
  readonly body?: { readonly contentType: string; readonly text: string };
  readonly signal?: AbortSignal | undefined;
  /** How long nothing may come from the server. Default: without end. */
  readonly silenceMs?: number | undefined;
}

/** client-go's: how often a server may ask to come back later. */
const MAX_RETRIES = 10;
/** An idle peer is asked whether it still lives. */
const KEEP_ALIVE_MS = 30_000;

export class Transport {
  readonly #options: TransportOptions;
  readonly #agent: http.Agent;
  readonly #request: typeof https.request;
  readonly #basePath: string;

  constructor(options: TransportOptions) {
    const { server, ca, cert, key, serverName, isInsecure } = options;
    this.#options = options;
    this.#basePath = server.pathname.replace(/\/$/, "");
    // Said with the same delay each time, it is a system call only the first.
    const kept = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
    const isSecure = server.protocol === "https:";
    this.#request = isSecure ? https.request : http.request;
    this.#agent = isSecure
      ? new https.Agent({
          ...kept,
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
          ...(serverName === undefined ? {} : { servername: serverName }),
          rejectUnauthorized: isInsecure !== true,
        })
      : new http.Agent(kept);
  }

  /** The response to a request that succeeded; StatusError, ConnectionError or the signal's reason otherwise. */
  async open(request: TransportRequest): Promise<http.IncomingMessage> {
    for (let retries = 0; ; retries++) {
      const response = await this.#openOnce(request);
      const code = response.statusCode ?? 0;
      if (code >= 200 && code < 300) return response;
      const text = (await this.read(response, request.signal)).toString();
      const retryAfterMs = retryDelayMs(response);
      if (retryAfterMs === undefined || retries >= MAX_RETRIES) throw errorOf(code, text);
      await this.#options.clock.sleep(retryAfterMs, request.signal);
    }
  }

  /** All bytes of a response. */
  async read(response: http.IncomingMessage, signal: AbortSignal | undefined): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.chunks(response, signal)) chunks.push(chunk);
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  }

  /** The bytes of a response as they come. */
  async *chunks(response: http.IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of response) yield chunk as Buffer;
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Sends once more what met a kept connection that the server was just closing. */
  async #openOnce(request: TransportRequest): Promise<http.IncomingMessage> {
    const token = (await this.#options.tokenSource?.()) ?? this.#options.token;
    for (;;) {
      try {
        return await this.#send(request, token);
      } catch (error) {
        if (!(error instanceof StaleSocketError)) throw this.#explain(error, request.signal);
      }
    }
  }

  #send({ method, path, body, signal, silenceMs }: TransportRequest, token: string | undefined): Promise<http.IncomingMessage> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const outgoing = this.#request(
        {
          hostname: this.#options.server.hostname.replace(/^\[(.*)\]$/, "$1"),
          port: this.#options.server.port,
          agent: this.#agent,
          method,
          path: this.#basePath + path,
          headers: {
            accept: "application/json",
            "user-agent": this.#options.userAgent,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { "content-type": body.contentType, "content-length": Buffer.byteLength(body.text) }),
          },
          ...(signal === undefined ? {} : { signal }),
          ...(silenceMs === undefined ? {} : { timeout: silenceMs }),
        },
        resolve,
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${silenceMs} ms`)));
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        const isStale = outgoing.reusedSocket && error.code === "ECONNRESET" && method === "GET" && signal?.aborted !== true;
        reject(isStale ? new StaleSocketError(error.message, { cause: error }) : error);
      });
      outgoing.on("socket", (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
      outgoing.end(body?.text);
    });
  }

  #explain(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason;
    if (error instanceof StatusError) return error;
    const why = error instanceof Error ? error.message : String(error);
    return new ConnectionError(`the server ${this.#options.server.host} could not be reached: ${why}`, error);
  }
}

/** A kept connection was closed before the server read the request. */
class StaleSocketError extends Error {
  readonly code = "STALE_SOCKET";
}

/** How long the server asks to wait; undefined when trying again is not asked for. */
function retryDelayMs({ statusCode = 0, headers }: http.IncomingMessage): number | undefined {
  if (statusCode !== 429 && statusCode < 500) return undefined;
  const seconds = Number.parseInt(headers["retry-after"] ?? "", 10);
  return Number.isNaN(seconds) ? undefined : seconds * 1000;
}
