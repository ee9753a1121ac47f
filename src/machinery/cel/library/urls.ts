// URLs in CEL: absolute ones, or absolute paths.
import { CelEvaluationError } from "../errors.ts";
import { type Overload, overload } from "../functions.ts";
import { CelHostObject, CelList, LiteralMap } from "../values.ts";

/** A parsed URL; one that is only a path has no scheme and no host. */
class CelUrl extends CelHostObject {
  readonly celType = "kubernetes.URL";
  readonly text: string;
  readonly url: URL;

  constructor(text: string, url: URL) {
    super();
    this.text = text;
    this.url = url;
  }

  override equals(other: CelHostObject): boolean {
    return other instanceof CelUrl && this.text === other.text;
  }

  get isPath(): boolean {
    return this.text.startsWith("/");
  }

  /** The host and port as written: WHATWG drops default ports, Go does not. */
  get authority(): string {
    return /^[^:/?#]+:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(this.text)?.[1] ?? "";
  }
}

function parse(text: string): CelUrl | undefined {
  const url = text.startsWith("/") ? URL.parse(text, "path://host") : URL.parse(text);
  return url === null || /\s/.test(text) ? undefined : new CelUrl(text, url);
}

function read(text: string): CelUrl {
  const url = parse(text);
  if (url === undefined)
    throw new CelEvaluationError(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`);
  return url;
}

const hostname = ({ authority }: CelUrl) => authority.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");

function query({ url }: CelUrl): LiteralMap {
  return new LiteralMap(new Map([...new Set(url.searchParams.keys())].map((key) => [key, CelList.of(url.searchParams.getAll(key))])));
}

/** The functions of URLs. */
export const urlFunctions: readonly Overload[] = [
  overload("url(string) -> kubernetes.URL", read),
  overload("isURL(string) -> bool", (text: string) => parse(text) !== undefined),
  overload("kubernetes.URL.getScheme() -> string", ({ url, isPath }: CelUrl) => (isPath ? "" : url.protocol.slice(0, -1))),
  overload("kubernetes.URL.getHost() -> string", ({ authority }: CelUrl) => authority),
  overload("kubernetes.URL.getHostname() -> string", hostname),
  overload("kubernetes.URL.getPort() -> string", ({ authority }: CelUrl) => /:(\d+)$/.exec(authority)?.[1] ?? ""),
  overload("kubernetes.URL.getEscapedPath() -> string", ({ url, text }: CelUrl) =>
    url.pathname === "/" && !/[^/]\/([?#]|$)|^\//.test(text) ? "" : url.pathname,
  ),
  overload("kubernetes.URL.getQuery() -> map(string, list(string))", query),
];
