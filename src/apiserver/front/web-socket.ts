// WebSockets of clients: those that carry what a plain answer would (watch events and logs), where what the client sends is not
// looked at, and those of streams.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { badRequest } from "../../machinery/index.ts";
import { type FrontRequest, header } from "./exchange.ts";
import type { UpgradeExchange } from "./http-front.ts";
import type { WatchAnswer } from "./watch-writer.ts";

/** More than this waiting to be sent makes the sender wait. */
const HIGH_WATER_BYTES = 256 * 1024;
/** No client has anything to say here beyond control frames. */
const MAX_PAYLOAD_BYTES = 1024;
/** Upstream's limit for one message. */
const MAX_STREAM_PAYLOAD_BYTES = 32 * 1024 * 1024;

const BASE64 = "base64.binary.k8s.io";
const subprotocols = new Set(["binary.k8s.io", BASE64]);

export function wantsWebSocket(request: Pick<FrontRequest, "headers">): boolean {
  return header(request, "upgrade")?.toLowerCase() === "websocket";
}

/** The subprotocols that the client offers, the one that it likes best first. */
export function offeredProtocols(request: FrontRequest): readonly string[] {
  return (header(request, "sec-websocket-protocol") ?? "").split(/\s*,\s*/);
}

type Upgrade = Pick<UpgradeExchange, "request" | "upgrade">;

/** Accepts the client's upgrade; the socket is in the hands of the WebSocket from then on. Throws BadRequest for anything else. */
export function acceptWebSocket({ request, upgrade }: Upgrade): Promise<WebSocket> {
  const handleProtocols = (offered: ReadonlySet<string>) => [...offered].find((name) => subprotocols.has(name)) ?? false;
  return accept(request, upgrade, new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD_BYTES, handleProtocols }));
}

/** The same for a WebSocket in which the client sends as well, by one of the subprotocols that it offers. */
export function acceptStreams({ request, upgrade }: Upgrade, protocol: string): Promise<WebSocket> {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_STREAM_PAYLOAD_BYTES });
  // Names like `SPDY/3.1+portforward.k8s.io` are none to the library, so it sees neither the offer nor the choice.
  server.on("headers", (lines) => lines.push(`Sec-WebSocket-Protocol: ${protocol}`));
  const { "sec-websocket-protocol": _, ...headers } = request.headers;
  return accept({ method: request.method, headers }, upgrade, server);
}

type Handshake = Pick<FrontRequest, "method" | "headers">;

function accept(handshake: Handshake, { socket, head }: Upgrade["upgrade"], server: WebSocketServer): Promise<WebSocket> {
  if (!wantsWebSocket(handshake)) throw badRequest("only websocket connections can be upgraded here");
  return new Promise((resolve, reject) => {
    server.once("wsClientError", (error) => reject(badRequest(error.message)));
    socket.once("close", () => reject(badRequest("the connection was closed before it was upgraded")));
    server.handleUpgrade(handshake as unknown as IncomingMessage, socket as Duplex, head, (accepted) => {
      accepted.on("error", () => accepted.terminate());
      resolve(accepted);
    });
  });
}

/** Sends every event as a message of its own: text in JSON, else binary. */
export async function sendWatch(socket: WebSocket, { batches, encode, format, signal, sent }: WatchAnswer): Promise<void> {
  for await (const batch of batches) {
    for (const event of batch) await send(socket, encode(event), format !== "json");
    sent(batch.length);
    if (signal.aborted) break;
  }
  socket.close(1000);
}

/** Sends `chunks` as the client's subprotocol has it: binary, or text in base64. */
export async function sendBytes(socket: WebSocket, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const isBase64 = socket.protocol === BASE64;
  for await (const chunk of chunks) {
    if (socket.readyState !== WebSocket.OPEN) return;
    await send(socket, isBase64 ? Buffer.from(chunk).toString("base64") : chunk, !isBase64);
  }
  socket.close(1000);
}

/** Resolves at once while little waits to be sent. */
function send(socket: WebSocket, data: Uint8Array | string, binary: boolean): Promise<void> | undefined {
  if (socket.bufferedAmount < HIGH_WATER_BYTES) {
    socket.send(data, { binary });
    return undefined;
  }
  return new Promise((resolve) => socket.send(data, { binary }, () => resolve()));
}
