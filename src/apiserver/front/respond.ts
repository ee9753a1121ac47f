// Writing whole answers: JSON bytes, the other formats, Status errors; compressed when large and the client agrees.
import { gzip } from "node:zlib";
import { stringify } from "yaml";
import { internalError, isTrue, type Status, StatusError, type TypeFacts } from "../../machinery/index.ts";
import { encodeCbor } from "./cbor.ts";
import { type Exchange, type FrontRequest, type FrontResponse, header } from "./exchange.ts";
import { type Format, mediaTypes, negotiate } from "./negotiation.ts";
import { metaTypeFacts, protobufBody } from "./protobuf-forms.ts";

/** Answers below this many bytes are not worth compressing; upstream's value. */
export const GZIP_THRESHOLD_BYTES = 128 * 1024;
/** Speed over size, as upstream. */
export const GZIP_LEVEL = 1;

const prettyAgents = ["curl", "Wget", "Mozilla/5.0"];

/** Whether the client is a person who reads along. */
export function wantsPretty({ request, info }: Pick<Exchange, "request" | "info">): boolean {
  const asked = info.query?.get("pretty");
  if (asked !== null && asked !== undefined) return isTrue(asked);
  const agent = header(request, "user-agent");
  return agent !== undefined && prettyAgents.some((prefix) => agent.startsWith(prefix));
}

export function acceptsGzip(request: FrontRequest): boolean {
  return header(request, "accept-encoding")?.includes("gzip") === true;
}

/** Writes a JSON document, indented for people. */
export function writeJson(exchange: Exchange, code: number, json: Uint8Array): void {
  const body = wantsPretty(exchange) ? Buffer.from(`${JSON.stringify(JSON.parse(asText(json)), undefined, 2)}\n`) : json;
  writeBody(exchange, code, body, mediaTypes.json);
}

/** Writes `value` in a format; `facts` are those of its type, for protobuf. */
export function writeValue(exchange: Exchange, code: number, value: object, format: Format = "json", facts?: TypeFacts): void {
  if (format === "json") writeJson(exchange, code, Buffer.from(JSON.stringify(value)));
  else writeBody(exchange, code, encodeValue(value, format, facts), mediaTypes[format]);
}

/** `value` in a format. Protobuf needs the facts of its type. */
export function encodeValue(value: object, format: Format, facts?: TypeFacts): Buffer {
  switch (format) {
    case "json":
      return Buffer.from(JSON.stringify(value));
    case "yaml":
      return Buffer.from(stringify(value, { aliasDuplicateObjects: false }));
    case "cbor":
      return encodeCbor(value);
    case "protobuf":
      if (facts === undefined) throw new Error("protobuf needs the facts of a type");
      return protobufBody(value, facts);
  }
}

/** Writes a whole body and ends the answer. */
export function writeBody({ request, response }: Exchange, code: number, body: Uint8Array, contentType: string): void {
  if (body.byteLength < GZIP_THRESHOLD_BYTES || !acceptsGzip(request)) {
    response.writeHead(code, { "Content-Type": contentType, "Content-Length": body.byteLength });
    response.end(request.method === "HEAD" ? undefined : body);
    return;
  }
  gzip(body, { level: GZIP_LEVEL }, (error, packed) => {
    if (error !== null) {
      response.destroy(error);
      return;
    }
    response.writeHead(code, {
      "Content-Type": contentType,
      "Content-Encoding": "gzip",
      Vary: "Accept-Encoding",
      "Content-Length": packed.byteLength,
    });
    response.end(request.method === "HEAD" ? undefined : packed);
  });
}

/** The Status of whatever was thrown. */
export function statusOf(error: unknown): Status {
  return error instanceof StatusError ? error.status : internalError(error).status;
}

/** Ends the answer with a Status and gives its code; an answer that has begun can only be cut off. */
export function writeError(request: FrontRequest, response: FrontResponse, error: unknown): number {
  const status = statusOf(error);
  const code = status.code ?? 500;
  if (response.headersSent) {
    response.destroy();
    return code;
  }
  const format = errorFormat(request);
  const body = encodeValue(status, format, metaTypeFacts("Status"));
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter !== undefined) response.setHeader("Retry-After", String(retryAfter));
  response.writeHead(code, { "Content-Type": mediaTypes[format], "Content-Length": body.byteLength });
  response.end(request.method === "HEAD" ? undefined : body);
  return code;
}

/** Errors are written as the client wants its objects, and as JSON for those who want something else. */
function errorFormat(request: FrontRequest): Format {
  try {
    return negotiate(header(request, "accept"), { hasProtobuf: true, hasTable: true, isStream: false }).format;
  } catch {
    return "json";
  }
}

export function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Adds `299 - "text"` headers. */
export function setWarnings(response: FrontResponse, texts: readonly string[]): void {
  if (texts.length > 0) response.setHeader("Warning", [...new Set(texts)].map(warningHeader));
}

/** Texts may be the client's own words; header values are bytes without control characters. */
function warningHeader(text: string): string {
  const quoted = text
    .replaceAll(/\p{Cc}/gu, " ")
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"');
  return `299 - "${Buffer.from(quoted, "utf8").toString("latin1")}"`;
}
