// A lean HTTP/1.1 client over TLS: one kept-alive connection, one request at a time, as little parsing as the answers allow.
// It shares the machine with the server that it measures, so what it costs is taken from the result.
import { connect, type TLSSocket } from "node:tls";
import type { Target } from "./target.ts";

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  /** ASCII only: its length is taken for its bytes. */
  readonly body?: string;
  /** Default `application/json`. */
  readonly contentType?: string;
}

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  /** Takes the parts of a body as they come, for answers without an end. */
  readonly onData: ((part: Buffer) => void) | undefined;
}

const NOTHING = Buffer.alloc(0);
const CRLF = "\r\n";
/** Silence for so long is a failure of the server. */
const ANSWER_WITHIN_MS = 30_000;
const END_OF_HEAD = "\r\n\r\n";

export class Connection {
  readonly #target: Target;
  #socket: TLSSocket;
  readonly #headers: string;
  #pending: Pending | undefined;
  /** Where in an answer the next byte belongs; `body` and `chunk` have `#left` bytes to come. */
  #state: "head" | "body" | "chunk-size" | "chunk" | "chunk-end" | "last-chunk" = "head";
  #left = 0;
  #status = 0;
  #parts: Buffer[] = [];
  /** The start of something whose end has not come yet. */
  #carry: Buffer = NOTHING;

  private constructor(socket: TLSSocket, target: Target) {
    this.#target = target;
    const authorization = target.token === undefined ? "" : `Authorization: Bearer ${target.token}${CRLF}`;
    this.#headers = ` HTTP/1.1${CRLF}Host: ${target.host}:${target.port}${CRLF}User-Agent: k8ts-bench/1${CRLF}Accept: application/json${CRLF}${authorization}`;
    this.#socket = this.#use(socket);
  }

  static async open(target: Target): Promise<Connection> {
    return new Connection(await dial(target), target);
  }

  /** Sends one request; the one before must have been answered. */
  async send(request: Request): Promise<Answer> {
    // Servers close connections that have been idle for some seconds.
    if (this.#socket.destroyed) this.#socket = this.#use(await dial(this.#target));
    return this.#start(request, undefined);
  }

  /** Like `send`, and hands the parts of the body to `onData`; resolves or rejects when the stream ends. */
  stream(path: string, onData: (part: Buffer) => void): Promise<Answer> {
    return this.#start({ method: "GET", path }, onData);
  }

  /** Reads no more of what comes. */
  stall(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#pending = undefined;
    this.#socket.destroy();
  }

  #use(socket: TLSSocket): TLSSocket {
    this.#state = "head";
    this.#carry = NOTHING;
    this.#parts = [];
    socket.on("data", (data: Buffer) => this.#consume(data));
    socket.setTimeout(ANSWER_WITHIN_MS);
    socket.on("timeout", () => this.#fail(new Error(`a request was not answered in ${ANSWER_WITHIN_MS} ms`)));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
    return socket;
  }

  #start({ method, path, body = "", contentType = "application/json" }: Request, onData: Pending["onData"]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (onData !== undefined) this.#socket.setTimeout(0);
      this.#pending = { resolve, reject, onData };
      const content = body === "" ? "" : `Content-Type: ${contentType}${CRLF}Content-Length: ${body.length}${CRLF}`;
      this.#socket.write(`${method} ${path}${this.#headers}${content}${CRLF}${body}`, "latin1");
    });
  }

  #fail(error: Error): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(error);
  }

  #consume(data: Buffer): void {
    let rest = this.#carry.length === 0 ? data : Buffer.concat([this.#carry, data]);
    this.#carry = NOTHING;
    while (rest.length > 0) {
      const used = this.#step(rest);
      if (used === 0) {
        this.#carry = rest;
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** Takes what it can from the front; answers how many bytes, 0 when it must wait for more. */
  #step(data: Buffer): number {
    switch (this.#state) {
      case "head":
        return this.#head(data);
      case "body":
      case "chunk":
        return this.#content(data);
      case "chunk-size":
        return this.#chunkSize(data);
      case "chunk-end":
      case "last-chunk":
        return this.#chunkEnd(data);
    }
  }

  #head(data: Buffer): number {
    const end = data.indexOf(END_OF_HEAD);
    if (end < 0) return 0;
    const head = data.toString("latin1", 0, end).toLowerCase();
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    if (length !== undefined) {
      this.#state = "body";
      this.#left = Number(length);
      if (this.#left === 0) this.#finish();
    } else if (head.includes("\r\ntransfer-encoding: chunked")) this.#state = "chunk-size";
    else this.#finish();
    return end + END_OF_HEAD.length;
  }

  #content(data: Buffer): number {
    const part = data.length <= this.#left ? data : data.subarray(0, this.#left);
    this.#left -= part.length;
    const onData = this.#pending?.onData;
    if (onData === undefined || this.#status >= 300) this.#parts.push(part);
    else onData(part);
    if (this.#left === 0) {
      if (this.#state === "body") this.#finish();
      else this.#state = "chunk-end";
    }
    return part.length;
  }

  #chunkSize(data: Buffer): number {
    const end = data.indexOf(CRLF);
    if (end < 0) return 0;
    this.#left = Number.parseInt(data.toString("latin1", 0, end), 16);
    this.#state = this.#left === 0 ? "last-chunk" : "chunk";
    return end + CRLF.length;
  }

  #chunkEnd(data: Buffer): number {
    if (data.length < CRLF.length) return 0;
    if (this.#state === "last-chunk") this.#finish();
    else this.#state = "chunk-size";
    return CRLF.length;
  }

  #finish(): void {
    const pending = this.#pending;
    const body = this.#parts.length === 1 ? (this.#parts[0] ?? NOTHING) : Buffer.concat(this.#parts);
    this.#pending = undefined;
    this.#parts = [];
    this.#state = "head";
    pending?.resolve({ status: this.#status, body });
  }
}

function dial(target: Target): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { host, port, ca, cert, key } = target;
    const socket = connect({
      host,
      port,
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: ca !== undefined,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    socket.setNoDelay(true);
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
