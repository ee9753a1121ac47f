// Passing a request on to another server, upgraded connections (SPDY, WebSocket) included: bytes go both ways untouched.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { statusError } from "../../machinery/index.ts";
import type { FrontRequest, FrontResponse, HeaderValue } from "./exchange.ts";
import { isHtml, withLinks } from "./html-links.ts";
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
    readonly servername?: string;
  };
  /** Set besides the request's own headers, or in their place. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Changes where redirects and the links of pages lead. */
  readonly rewriteUrl?: (url: string) => string;
  /** The answer when the target cannot be reached. */
  readonly unreachable?: (error: Error) => Error;
}

/** Headers that speak of one connection only, or that would give our caller's credentials away. */
const droppedHeaders = new Set([
  "host",
  "authorization",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "http2-settings",
]);
/** Headers by which a caller could pass for someone else behind us. */
const droppedPrefixes = [":", "impersonate-", "x-remote-"];
const droppedAnswerHeaders = new Set(["connection", "keep-alive", "transfer-encoding"]);

type Forwarded = Pick<UpgradeExchange, "request" | "response"> & Partial<Pick<UpgradeExchange, "upgrade">>;

/** Resolves when the answer is passed on; rejects with ServiceUnavailable when the target cannot be reached. */
export function forward({ request, response, upgrade }: Forwarded, target: ForwardTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    const { unreachable = (error) => statusError("ServiceUnavailable", `error dialing backend: ${error.message}`) } = target;
    const outgoing = begin(request, target, { isUpgrade: upgrade !== undefined });
    outgoing.on("error", (error) => reject(unreachable(error)));
    outgoing.on("response", (answer) => {
      passAnswer(answer, response, target.rewriteUrl);
      resolve();
    });
    outgoing.on("upgrade", (answer, socket, head) => {
      if (upgrade === undefined) {
        // Nobody asked for it, so nobody speaks its protocol.
        socket.destroy();
        reject(unreachable(new Error("unexpected switch of protocols")));
        return;
      }
      tunnel(answer, { socket, head }, { response, upgrade });
      resolve();
    });
    response.once("close", () => outgoing.destroy());
    if (upgrade === undefined) request.pipe(outgoing);
    else outgoing.end();
  });
}

/** A GET of the target whose answer the caller reads itself; rejects as `forward` does. */
export function fetchAnswer(
  { request, response }: Pick<Forwarded, "request" | "response">,
  target: ForwardTarget,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = begin(request, target, { isUpgrade: false, isPlain: true });
    outgoing.on("error", (error) => reject(statusError("ServiceUnavailable", `error dialing backend: ${error.message}`)));
    outgoing.on("response", resolve);
    response.once("close", () => outgoing.destroy());
    outgoing.end();
  });
}

/** The request to the target, its body still to come. A plain one has no headers of the client's. */
function begin(
  request: FrontRequest,
  target: ForwardTarget,
  kind: { readonly isUpgrade: boolean; readonly isPlain?: boolean },
): ClientRequest {
  const { protocol, host, port, path, tls } = target;
  const own = kind.isPlain === true ? {} : requestHeaders(request, kind);
  const headers = { ...own, host: `${host.includes(":") ? `[${host}]` : host}:${port}`, ...target.headers };
  const options = { host, port, path, method: request.method ?? "GET", headers, agent: false, ...tls };
  return protocol === "https" ? httpsRequest(options as RequestOptions) : httpRequest(options as RequestOptions);
}

function requestHeaders(request: FrontRequest, { isUpgrade }: { readonly isUpgrade: boolean }): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  // Whatever the client calls a matter of its own connection ends here, too.
  const connection = String(request.headers["connection"] ?? "")
    .toLowerCase()
    .split(/\s*,\s*/);
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || droppedHeaders.has(name) || droppedPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (name === "upgrade" ? !isUpgrade : connection.includes(name)) continue;
    headers[name] = value;
  }
  return isUpgrade ? { ...headers, connection: "Upgrade" } : headers;
}

function answerHeaders(answer: IncomingMessage): Record<string, HeaderValue> {
  const headers: Record<string, HeaderValue> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !droppedAnswerHeaders.has(name)) headers[name] = value;
  }
  return headers;
}

export function passAnswer(answer: IncomingMessage, response: FrontResponse, rewriteUrl?: ForwardTarget["rewriteUrl"]): void {
  const { location } = answer.headers;
  const moved = location === undefined || rewriteUrl === undefined ? {} : { location: rewriteUrl(location) };
  const { "content-length": length, ...headers } = answerHeaders(answer);
  const body = rewriteUrl !== undefined && isHtml(answer) ? withLinks(answer, rewriteUrl) : answer;
  const known = body !== answer || length === undefined ? {} : { "content-length": length };
  response.writeHead(answer.statusCode ?? 502, { ...headers, ...known, ...moved });
  response.flushHeaders?.();
  body.on("data", (chunk: Buffer) => {
    if (response.write(chunk)) return;
    body.pause();
    response.once("drain", () => body.resume());
  });
  body.on("end", () => response.end());
  body.on("error", () => response.destroy());
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
