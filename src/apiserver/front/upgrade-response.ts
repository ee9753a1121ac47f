// The answer side of a connection that asked for an upgrade: node gives its bare socket, so that a refusal or a plain
// answer is written by hand.

import { EventEmitter } from "node:events";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { FrontResponse, HeaderValue } from "./exchange.ts";

/** Writes an HTTP/1.1 answer on `socket` and closes it at the end. */
class UpgradeResponse extends EventEmitter implements FrontResponse {
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  readonly #socket: Duplex;
  readonly #headers = new Map<string, HeaderValue>();

  constructor(socket: Duplex) {
    super();
    this.#socket = socket;
    socket.on("close", () => this.emit("close"));
    socket.on("drain", () => this.emit("drain"));
    socket.on("error", (error) => this.emit("error", error));
  }

  setHeader(name: string, value: HeaderValue): void {
    this.#headers.set(name, value);
  }

  writeHead(statusCode: number, headers: Readonly<Record<string, HeaderValue>> = {}): void {
    this.statusCode = statusCode;
    this.headersSent = true;
    for (const [name, value] of Object.entries(headers)) this.#headers.set(name, value);
    if (statusCode !== 101) this.#headers.set("Connection", "close");
    let text = `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ""}\r\n`;
    for (const [name, value] of this.#headers) {
      for (const one of Array.isArray(value) ? value : [value]) text += `${name}: ${one}\r\n`;
    }
    this.#socket.write(`${text}\r\n`);
  }

  write(chunk: Uint8Array | string): boolean {
    if (!this.headersSent) this.writeHead(this.statusCode);
    return this.#socket.write(chunk);
  }

  end(chunk?: Uint8Array | string): void {
    if (!this.headersSent) this.writeHead(this.statusCode);
    this.writableEnded = true;
    this.#socket.end(chunk);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

export function upgradeResponse(socket: Duplex): FrontResponse {
  return new UpgradeResponse(socket);
}
