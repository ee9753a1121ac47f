// Request bodies: read up to the limit, decoded by their content type.
import { parseDocument } from "yaml";
import { badRequest, DecodeError, decodeProtobuf, parseJson as parseJsonText, statusError, type TypeFacts } from "../../machinery/index.ts";
import { decodeCbor } from "./cbor.ts";
import { type FrontRequest, header } from "./exchange.ts";

/** Upstream's limit of a request body. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const objectTypes = "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/cbor";

/** The whole body; rejects with RequestEntityTooLarge. */
export function readBody(request: FrontRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(header(request, "content-length") ?? 0) > MAX_BODY_BYTES) {
      reject(tooLarge());
      request.resume();
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    let isWhole = false;
    request.on("data", (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else reject(tooLarge());
    });
    request.on("end", () => {
      isWhole = true;
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
    request.on("error", reject);
    request.on("close", () => {
      if (!isWhole) reject(badRequest("the request was cut off"));
    });
  });
}

function tooLarge(): Error {
  return statusError("RequestEntityTooLarge", `Request entity too large: limit is ${MAX_BODY_BYTES}`);
}

/** The media type without its parameters; `application/json` when there is none. */
export function contentType(request: FrontRequest): string {
  const type = header(request, "content-type") ?? "";
  const end = type.indexOf(";");
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase() || "application/json";
}

/** The body as an object; an empty body is undefined. `typeOf` tells the type of a kind in protobuf; `duplicates` collects. */
export async function readObject(
  request: FrontRequest,
  typeOf: (kind: string) => TypeFacts,
  duplicates?: string[],
): Promise<Record<string, unknown> | undefined> {
  const type = contentType(request);
  const body = await readBody(request);
  if (body.byteLength === 0) return undefined;
  const value = type === PROTOBUF ? decodeProtobuf(body, typeOf) : decode(type, body, duplicates);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest("couldn't get version/kind; json parse error: the body is not an object");
  }
  return value as Record<string, unknown>;
}

function decode(type: string, body: Buffer, duplicates?: string[]): unknown {
  if (type === "application/json") return parseJson(body, duplicates);
  if (type === "application/yaml" || type === "text/yaml") return parseYaml(body, duplicates);
  if (type === "application/cbor") return decodeCbor(body);
  throw unsupported(objectTypes);
}

export function unsupported(accepted: string): Error {
  return statusError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

/** `duplicates`, if somebody wants to know, collects what stands more than once. */
export function parseJson(body: Buffer, duplicates?: string[]): unknown {
  try {
    const parsed = parseJsonText(body.toString("utf8"), { detectDuplicates: duplicates !== undefined });
    duplicates?.push(...parsed.duplicates);
    return parsed.value;
  } catch (error) {
    throw error instanceof DecodeError ? badRequest(error.message) : error;
  }
}

/** YAML is a superset of JSON; a later key of the same name wins, as upstream's decoder has it. */
export function parseYaml(body: Buffer, duplicates?: string[]): unknown {
  const text = body.toString("utf8");
  try {
    const document = parseDocument(text, { uniqueKeys: duplicates !== undefined });
    const [error] = document.errors.filter(({ code }) => code !== "DUPLICATE_KEY");
    if (error !== undefined) throw error;
    for (const { pos, linePos } of document.errors)
      duplicates?.push(`line ${linePos?.[0].line}: key ${keyAt(text, pos)} already set in map`);
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The key that begins there, in quotes. */
function keyAt(text: string, [start]: readonly [number, number]): string {
  const key = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^:\n]*)/.exec(text.slice(start))?.[0] ?? "";
  return JSON.stringify(key.trim().replace(/^(['"])(.*)\1$/, "$2"));
}
