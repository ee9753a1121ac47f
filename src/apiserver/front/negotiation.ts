// Which representation of an object a client accepts, from its Accept header.
import { statusError } from "../../machinery/index.ts";

export type Format = "json" | "yaml" | "protobuf" | "cbor";

export interface Representation {
  readonly format: Format;
  readonly as?: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** Of meta.k8s.io, where `as` is told. */
  readonly version?: "v1" | "v1beta1";
}

/** What can be made of the thing that is asked for. */
export interface Offer {
  /** Whether its kind has a protobuf form. */
  readonly hasProtobuf: boolean;
  /** Whether it can be shown as a table. */
  readonly hasTable: boolean;
  /** Whether many objects come one after the other: there is no YAML then. */
  readonly isStream: boolean;
}

export const mediaTypes: Readonly<Record<Format, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
  cbor: "application/cbor",
};
/** Content types of watches. */
export const streamTypes: Readonly<Partial<Record<Format, string>>> = {
  json: "application/json",
  protobuf: "application/vnd.kubernetes.protobuf;stream=watch",
  cbor: "application/cbor-seq",
};

const plainJson: Representation = { format: "json" };
const formats: Readonly<Record<string, Format>> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "application/vnd.kubernetes.protobuf": "protobuf",
  "application/cbor": "cbor",
  "*/*": "json",
  "application/*": "json",
};
const transforms = new Set(["Table", "PartialObjectMetadata", "PartialObjectMetadataList"]);
/** Clients send few different headers; more than this many means that someone plays. */
const CACHE_LIMIT = 256;
const cache = new Map<string, Representation | undefined>();

/** The first acceptable representation by quality, then by order. Throws NotAcceptable when there is none. */
export function negotiate(accept: string | undefined, offer: Offer): Representation {
  if (accept === undefined || accept === "" || accept === "application/json" || accept === "*/*") return plainJson;
  const key = `${offer.hasProtobuf ? "p" : ""}${offer.hasTable ? "t" : ""}${offer.isStream ? "s" : ""} ${accept}`;
  let best = cache.get(key);
  if (best === undefined && !cache.has(key)) {
    if (cache.size >= CACHE_LIMIT) cache.clear();
    best = acceptClauses(accept)
      .map((clause) => representationOf(clause, offer))
      .find((representation) => representation !== undefined);
    cache.set(key, best);
  }
  if (best === undefined) throw notAcceptable(offeredTypes(offer));
  return best;
}

/** 406 that names what would be accepted. */
export function notAcceptable(types: readonly string[]): Error {
  return statusError("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`);
}

function offeredTypes({ hasProtobuf, isStream }: Offer): string[] {
  const offered = (Object.keys(mediaTypes) as Format[]).filter((format) => isOffered(format, { hasProtobuf, isStream }));
  return offered.map((format) => `${mediaTypes[format]}${isStream ? ";stream=watch" : ""}`);
}

function isOffered(format: Format, { hasProtobuf, isStream }: Pick<Offer, "hasProtobuf" | "isStream">): boolean {
  return (format !== "protobuf" || hasProtobuf) && (!isStream || streamTypes[format] !== undefined);
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

function representationOf({ type, parameters }: AcceptClause, offer: Offer): Representation | undefined {
  const as = parameters.get("as");
  // Metadata has a protobuf form whatever it is the metadata of.
  const hasProtobuf = offer.hasProtobuf || as?.startsWith("Partial") === true;
  const format = type === "application/cbor-seq" && offer.isStream ? "cbor" : formats[type];
  if (format === undefined || !isOffered(format, { ...offer, hasProtobuf })) return undefined;
  if (as === undefined) return { format };
  const version = parameters.get("v");
  if (!transforms.has(as) || parameters.get("g") !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return undefined;
  if (as === "Table" && (!offer.hasTable || format === "protobuf" || format === "cbor")) return undefined;
  return { format, as: as as NonNullable<Representation["as"]>, version };
}
