// Writing whole answers: JSON bytes, YAML, Status errors; compressed when large and the client agrees.
import { gzip } from "node:zlib";
import { stringify } from "yaml";
import { internalError, type Status, StatusError } from "../../machinery/index.ts";
import { type Exchange, type FrontRequest, type FrontResponse, header } from "./exchange.ts";
import { isTrue } from "./request-info.ts";

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

/** Writes a JSON document in the format asked for. */
export function writeJson(exchange: Exchange, code: number, json: Uint8Array, format: "json" | "yaml" = "json"): void {
  if (format === "yaml") {
    writeBody(exchange, code, Buffer.from(stringify(JSON.parse(asText(json)))), "application/yaml");
  } else if (wantsPretty(exchange)) {
    writeBody(exchange, code, Buffer.from(`${JSON.stringify(JSON.parse(asText(json)), undefined, 2)}\n`), "application/json");
  } else {
    writeBody(exchange, code, json, "application/json");
  }
}

/** Writes `value` as JSON. */
export function writeValue(exchange: Exchange, code: number, value: unknown, format: "json" | "yaml" = "json"): void {
  writeJson(exchange, code, Buffer.from(JSON.stringify(value)), format);
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
  const body = Buffer.from(`${JSON.stringify(status)}\n`);
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter !== undefined) response.setHeader("Retry-After", String(retryAfter));
  response.writeHead(code, { "Content-Type": "application/json", "Content-Length": body.byteLength });
  response.end(request.method === "HEAD" ? undefined : body);
  return code;
}

export function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Adds `299 - "text"` headers. */
export function setWarnings(response: FrontResponse, texts: readonly string[]): void {
  if (texts.length === 0) return;
  response.setHeader(
    "Warning",
    [...new Set(texts)].map((text) => `299 - "${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", " ")}"`),
  );
}
