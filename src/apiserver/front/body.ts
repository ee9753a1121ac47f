// Request bodies: read up to the limit, decoded by their content type.
import { type Document, isCollection, parseDocument, visit } from "yaml";
import {
  badRequest,
  DecodeError,
  decodeProtobuf,
  type JsonParsing,
  type ParsedJson,
  parseJson,
  StatusError,
  statusError,
  type TypeFacts,
} from "../../machinery/index.ts";
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

export interface DecodedBody {
  readonly object: Record<string, unknown>;
  /** `duplicate field "a.b"`, where JSON was looked at for them. */
  readonly duplicates: readonly string[];
}

export interface BodyReading {
  /** Tells the type of a kind in protobuf. */
  typeOf(kind: string): TypeFacts;
  readonly detectsDuplicates?: boolean;
}

/** The body as an object; an empty body is undefined. */
export async function readObject(
  request: FrontRequest,
  { typeOf, detectsDuplicates = false }: BodyReading,
): Promise<DecodedBody | undefined> {
  const type = contentType(request);
  const body = await readBody(request);
  if (body.byteLength === 0) return undefined;
  const { value, duplicates } = type === PROTOBUF ? unique(decodeProtobuf(body, typeOf)) : decode(type, body, detectsDuplicates);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest("couldn't get version/kind; json parse error: the body is not an object");
  }
  return { object: value as Record<string, unknown>, duplicates };
}

function decode(type: string, body: Buffer, detectsDuplicates: boolean): ParsedJson {
  if (type === "application/json") return readJson(body, { detectsDuplicates });
  if (type === "application/yaml" || type === "text/yaml") return unique(parseYaml(body));
  if (type === "application/cbor") return unique(checkDepth(decodeCbor(body), body));
  throw unsupported(objectTypes);
}

function unique(value: unknown): ParsedJson {
  return { value, duplicates: [] };
}

/** No kind is nested this deep; what is would exhaust the stack of whoever walks through it. */
const MAX_DEPTH = 1000;

/** `value`, unless it is nested too deep. Small bodies cannot be. */
function checkDepth(value: unknown, body: Buffer): unknown {
  if (body.byteLength <= MAX_DEPTH) return value;
  let level: unknown[] = [[value]];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH + 1) throw badRequest("exceeded max depth");
    level = level.flatMap((item) => Object.values(item as object).filter((member) => typeof member === "object" && member !== null));
  }
  return value;
}

export function unsupported(accepted: string): Error {
  return statusError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

/** Throws 400 for what is no JSON. */
export function readJson(body: Buffer, options?: Pick<JsonParsing, "detectsDuplicates">): ParsedJson {
  try {
    return parseJson(body.toString("utf8"), { ...options, maxDepth: MAX_DEPTH });
  } catch (error) {
    throw error instanceof DecodeError ? badRequest(error.message) : error;
  }
}

/** JSON has no keys that are mappings or lists; nested ones would keep the library busy for minutes. */
function checkKeys(document: Document): void {
  visit(document, {
    Pair: (_, { key }) => {
      if (isCollection(key)) throw new Error("yaml: invalid map key");
    },
  });
}

const openBrace = 123;

/** A later key of the same name wins, as upstream's decoder has it. JSON, which is YAML too, is read as such: that is faster. */
export function parseYaml(body: Buffer): unknown {
  try {
    if (body[0] === openBrace) return parseJson(body.toString("utf8"), { maxDepth: MAX_DEPTH }).value;
  } catch {
    // A flow mapping that is no JSON, or no mapping at all.
  }
  try {
    const document = parseDocument(body.toString("utf8"), { uniqueKeys: false });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    checkKeys(document);
    return checkDepth(document.toJS({ maxAliasCount: 100 }), body);
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw badRequest(`error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
