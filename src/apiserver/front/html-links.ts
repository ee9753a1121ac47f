// The links of an HTML page that is passed on, made to lead where the page came from. Only links change: all other bytes stay
// as they are, in whatever encoding they may be; a tag that is cut off by the end is none.
// @see kubernetes `apimachinery/pkg/util/proxy/transport.go`
import type { IncomingMessage } from "node:http";
import { pipeline, type Readable, Transform } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { RewritingStream } from "parse5-html-rewriting-stream";

type StartTag = Parameters<RewritingStream["emitStartTag"]>[0];

interface Place {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** The attributes that are links, by element. */
const links: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    a: "href",
    applet: "codebase",
    area: "href",
    audio: "src",
    base: "href",
    blockquote: "cite",
    body: "background",
    button: "formaction",
    command: "icon",
    del: "cite",
    embed: "src",
    form: "action",
    frame: "longdesc src",
    head: "profile",
    html: "manifest",
    iframe: "longdesc src",
    img: "longdesc src usemap",
    input: "src usemap formaction",
    ins: "cite",
    link: "href",
    object: "classid codebase data usemap",
    q: "cite",
    script: "src",
    source: "src",
    video: "poster src",
  }).map(([element, attributes]) => [element, attributes.split(" ")]),
);

/** Whether the answer is a page whose links can be found. */
export function isHtml({ headers }: IncomingMessage): boolean {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  const encoding = headers["content-encoding"] ?? "";
  return type.trim().toLowerCase() === "text/html" && (encoding === "" || encoding === "gzip");
}

/** The body of a page for which `isHtml` holds, in the same encoding; it is as long as it comes out. */
export function withLinks(page: IncomingMessage, rewrite: (url: string) => string): Readable {
  const rewriter = new RewritingStream();
  rewriter.on("startTag", (tag, raw) => rewriter.emitRaw(relinked(tag, raw, rewrite)));
  // Each byte is a character to the parser: what it knows of HTML is ASCII.
  const toText = new Transform({ readableObjectMode: true, transform: (chunk: Buffer, _, done) => done(null, chunk.toString("latin1")) });
  const toBytes = new Transform({ transform: (chunk, _, done) => done(null, Buffer.from(String(chunk), "latin1")) });
  const steps =
    page.headers["content-encoding"] === "gzip" ? [createGunzip(), toText, rewriter, toBytes, createGzip()] : [toText, rewriter, toBytes];
  return pipeline([page, ...steps], () => {}) as unknown as Readable;
}

function relinked({ tagName, attrs, sourceCodeLocation }: StartTag, raw: string, rewrite: (url: string) => string): string {
  const names = links.get(tagName);
  // A tag has the places of its attributes, though the types know only of its own.
  const tag = sourceCodeLocation as (Place & { readonly attrs?: Readonly<Record<string, Place>> }) | null | undefined;
  if (names === undefined || !tag?.attrs) return raw;
  const places = attrs.flatMap(({ name }) => (names.includes(name) ? (tag.attrs?.[name] ?? []) : []));
  let text = raw;
  // From the end, so that the places before stay where they are.
  for (const { startOffset, endOffset } of places.sort((left, right) => right.startOffset - left.startOffset)) {
    const [from, to] = [startOffset - tag.startOffset, endOffset - tag.startOffset];
    text = text.slice(0, from) + withUrl(text.slice(from, to), rewrite) + text.slice(to);
  }
  return text;
}

/** `href="/x"`, `href=/x` or `href='/x'` with another URL; character references in it stay as they are. */
function withUrl(attribute: string, rewrite: (url: string) => string): string {
  const [, name = "", quote = "", url = ""] = /^([^=]*=\s*)(["']?)(.*?)\2$/s.exec(attribute) ?? [];
  return url === "" ? attribute : `${name}${quote}${rewrite(url)}${quote}`;
}
