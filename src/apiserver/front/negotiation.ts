// Which representation of an object a client accepts, from its Accept header.

export interface Representation {
  readonly format: "json" | "yaml";
  readonly as?: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
}

const plainJson: Representation = { format: "json" };
const formats: Readonly<Record<string, "json" | "yaml">> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "text/yaml": "yaml",
  "*/*": "json",
  "application/*": "json",
};
const transforms = new Set(["Table", "PartialObjectMetadata", "PartialObjectMetadataList"]);
/** Clients send few different headers; more than this many means that someone plays. */
const CACHE_LIMIT = 256;
const cache = new Map<string, Representation | undefined>();

/** The first acceptable representation by quality, then by order; undefined when there is none (406). */
export function negotiate(accept: string | undefined): Representation | undefined {
  if (accept === undefined || accept === "" || accept === "application/json" || accept === "*/*") return plainJson;
  if (cache.has(accept)) return cache.get(accept);
  if (cache.size >= CACHE_LIMIT) cache.clear();
  const best = acceptClauses(accept)
    .map(representationOf)
    .find((representation) => representation !== undefined);
  cache.set(accept, best);
  return best;
}

export interface AcceptClause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The clauses of an Accept header, best first. */
export function acceptClauses(accept: string): AcceptClause[] {
  const clauses = accept.split(",").map((text) => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    const parameters = new Map(rest.map((part) => splitParameter(part)));
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get("q") ?? 1) };
  });
  return clauses.filter((clause) => clause.quality > 0).sort((a, b) => b.quality - a.quality);
}

function splitParameter(text: string): [string, string] {
  const mark = text.indexOf("=");
  return mark < 0 ? [text.toLowerCase(), ""] : [text.slice(0, mark).trim().toLowerCase(), text.slice(mark + 1).trim()];
}

function representationOf({ type, parameters }: AcceptClause): Representation | undefined {
  const format = formats[type];
  if (format === undefined) return undefined;
  const as = parameters.get("as");
  if (as === undefined) return { format };
  if (!transforms.has(as) || parameters.get("g") !== "meta.k8s.io" || parameters.get("v") !== "v1") return undefined;
  return { format, as: as as NonNullable<Representation["as"]> };
}
