// Objects in CBOR, as upstream reads and writes them: every item begins with the self-described tag, text may come as byte
// strings, and bytes stand for their base64 when the tag says so.
import { decode, encode } from "cborg";
import { badRequest } from "../../machinery/index.ts";

const selfDescribed = Buffer.from([0xd9, 0xd9, 0xf7]);
const SELF_DESCRIBED_TAG = 55799;
const textEncodings: readonly [tag: number, encoding: "base64url" | "base64" | "hex"][] = [
  [21, "base64url"],
  [22, "base64"],
  [23, "hex"],
];

/** Bytes that a tag says to be text in another form. */
class EncodedText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function encodeCbor(value: unknown): Buffer {
  return Buffer.concat([selfDescribed, encode(value, { ignoreUndefinedProperties: true })]);
}

/** The body as JSON has it. Throws BadRequest. */
export function decodeCbor(body: Uint8Array): unknown {
  const tags: Record<number, (inner: () => unknown) => unknown> = { [SELF_DESCRIBED_TAG]: (inner) => inner() };
  for (const [tag, encoding] of textEncodings) {
    tags[tag] = (inner) => new EncodedText(Buffer.from(inner() as Uint8Array).toString(encoding));
  }
  try {
    return plain(decode(body, { useMaps: true, rejectDuplicateMapKeys: true, allowNaN: false, allowInfinity: false, tags }));
  } catch (error) {
    throw badRequest(`unable to decode the CBOR body: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [textOf(key), plain(member)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array || value instanceof EncodedText) return textOf(value);
  return typeof value === "bigint" ? Number(value) : value;
}

function textOf(value: unknown): string {
  if (value instanceof EncodedText) return value.text;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (typeof value === "string") return value;
  throw new Error("keys of maps must be strings");
}
