// Passing a request on to another server, upgraded connections (SPDY, WebSocket) included: bytes go both ways untouched.
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { statusError } from "../../machinery/index.ts";
import type { FrontRequest, FrontResponse, HeaderValue } from "./exchange.ts";
import type { UpgradeExchange } from "./http-front.ts";

export interface ForwardTarget {
  readonly protocol: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  /** For https: our certificate and whom we believe. */
  readonly tls?: Pick<RequestOptions & { key?: string | Buffer; cert?: string | Buffer; ca?: string | Buffer }, "key" | "cert" | "ca"> & {
    readonly rejectUnauthorized?: boolean;
  };
}

/** Headers that speak of one connection only, or that would give our caller's credentials away. */
const droppedHeaders = new Set(["host", "authorization", "connection", "keep-alive", "transfer-encoding", "te", "http2-settings"]);
const droppedAnswerHeaders = new Set(["connection", "keep-alive", "transfer-encoding"]);

type Forwarded = Pick<UpgradeExchange, "request" | "response"> & Partial<Pick<UpgradeExchange, "upgrade">>;

/** Resolves when the answer is passed on; rejects with ServiceUnavailable when the target cannot be reached. */
export function forward({ request, response, upgrade }: Forwarded, target: ForwardTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    const { protocol, host, port, path, tls } = target;
    const headers = { ...requestHeaders(request), host: `${host.includes(":") ? `[${host}]` : host}:${port}` };
    const method = request.method ?? "GET";
    const upgradeHeaders = upgrade === undefined ? {} : { connection: "Upgrade" };
    const options = { host, port, path, method, headers: { ...headers, ...upgradeHeaders }, agent: false, ...tls };
    const outgoing = protocol === "https" ? httpsRequest(options) : httpRequest(options);
    outgoing.on("error", (error) => reject(statusError("ServiceUnavailable", `error dialing backend: ${error.message}`)));
    outgoing.on("response", (answer) => {
      passAnswer(answer, response);
      resolve();
    });
    outgoing.on("upgrade", (answer, socket, head) => {
      if (upgrade === undefined) socket.destroy();
      else tunnel(answer, { socket, head }, { response, upgrade });
      resolve();
    });
    response.once("close", () => outgoing.destroy());
    if (upgrade === undefined) request.pipe(outgoing);
    else outgoing.end();
  });
}

function requestHeaders(request: FrontRequest): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(":") || name.startsWith("impersonate-") || droppedHeaders.has(name)) continue;
    headers[name] = value;
  }
  return headers;
}

function answerHeaders(answer: IncomingMessage): Record<string, HeaderValue> {
  const headers: Record<string, HeaderValue> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !droppedAnswerHeaders.has(name)) headers[name] = value;
  }
  return headers;
}

function passAnswer(answer: IncomingMessage, response: FrontResponse): void {
  response.writeHead(answer.statusCode ?? 502, answerHeaders(answer));
  response.flushHeaders?.();
  answer.on("data", (chunk: Buffer) => {
    if (response.write(chunk)) return;
    answer.pause();
    response.once("drain", () => answer.resume());
  });
  answer.on("end", () => response.end());
  answer.on("error", () => response.destroy());
}

interface Side {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Joins the client's socket and the target's; each side's end is passed on, a failure ends both. */
function tunnel(answer: IncomingMessage, target: Side, { response, upgrade }: { response: FrontResponse; upgrade: Side }): void {
  response.writeHead(101, { ...answerHeaders(answer), Connection: "Upgrade" });
  const client = upgrade.socket;
  if (target.head.byteLength > 0) client.write(target.head);
  if (upgrade.head.byteLength > 0) target.socket.write(upgrade.head);
  client.pipe(target.socket);
  target.socket.pipe(client);
  target.socket.on("error", () => client.destroy());
  client.on("error", () => target.socket.destroy());
  client.on("close", () => target.socket.destroy());
  target.socket.on("close", () => client.end());
}
