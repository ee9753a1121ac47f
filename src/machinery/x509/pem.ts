// PEM: blocks of DER between lines of text. What stands between blocks is nobody's business.

export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly type: string;
  /** Whether lines like `Key: value` stand before the data. */
  readonly hasHeaders: boolean;
  readonly der: Buffer;
}

const BLOCK = /-----BEGIN ([^\n-]+)-----[^\S\n]*\n([\s\S]*?)-----END \1-----/g;
const HEADER = /^[^\n:]+:[^\n]*\n/;
const LINE_LENGTH = 64;

/** The blocks of a text, in order. */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([, type = "", body = ""]) => {
    const hasHeaders = HEADER.test(body);
    const data = hasHeaders ? body.slice(body.indexOf("\n\n") + 1) : body;
    return { type, hasHeaders, der: Buffer.from(data, "base64") };
  });
}

/** One block without headers, with a line feed at its end. */
export function encodePem(type: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(new RegExp(`.{1,${LINE_LENGTH}}`, "g")) ?? [];
  return [`-----BEGIN ${type}-----`, ...lines, `-----END ${type}-----`, ""].join("\n");
}
