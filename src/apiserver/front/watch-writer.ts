// A WATCH answer: one frame an event, in JSON a line each. The frame of a change is made once and shared by all watchers.
import type { Resource, Stored, StoredWatchEvent } from "../../api/index.ts";
import { encodeWatchFrame, type TypeFacts } from "../../machinery/index.ts";
import { encodeCbor } from "./cbor.ts";
import type { FrontResponse } from "./exchange.ts";
import { drained } from "./list-writer.ts";
import { type Format, streamTypes } from "./negotiation.ts";
import { factsOfAnswer, metaTypeFacts, protobufBody, storedFrame } from "./protobuf-forms.ts";
import { type MetaVersion, partialMetadata, type TableOptions, tableOf } from "./table.ts";

type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

const heads: Readonly<Record<ChangeType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const tail = Buffer.from("}\n");
/** By the object's bytes, so that a frame goes when its object lets go of them. */
const frames = new WeakMap<Uint8Array, { type: ChangeType; frame: Buffer }>();

/** The bytes of a change; made once per stored object and type. */
export function changeFrame(type: ChangeType, stored: Stored): Buffer {
  const { json } = stored;
  const known = frames.get(json);
  if (known?.type === type) return known.frame;
  const frame = Buffer.concat([heads[type], json, tail]);
  frames.set(json, { type, frame });
  return frame;
}

/** Turns an event into the bytes of one frame. */
export type FrameEncoder = (event: StoredWatchEvent) => Uint8Array | string;

const initialEventsEnd = { "k8s.io/initial-events-end": "true" };

function bookmarkMeta(event: Extract<StoredWatchEvent, { type: "BOOKMARK" }>) {
  return { resourceVersion: event.resourceVersion, ...(event.isInitialEventsEnd ? { annotations: initialEventsEnd } : {}) };
}

/** Makes frames of objects that no one shares. */
type Framing = (type: string, object: object, facts: TypeFacts) => Uint8Array | string;

const framings: Readonly<Record<Format, Framing>> = {
  json: (type, object) => `${JSON.stringify({ type, object })}\n`,
  yaml: () => {
    throw new Error("there are no watches in YAML");
  },
  cbor: (type, object) => encodeCbor({ type, object }),
  protobuf: (type, object, facts) => encodeWatchFrame(type, protobufBody(object, facts)),
};

export function objectFrames(resource: Resource, format: Format): FrameEncoder {
  const { kind, apiVersion, facts } = resource;
  const frame = framings[format];
  return (event) => {
    if (event.type === "BOOKMARK") return frame("BOOKMARK", { kind, apiVersion, metadata: bookmarkMeta(event) }, facts);
    if (event.type === "ERROR") return frame("ERROR", event.status, metaTypeFacts("Status"));
    if (format === "json") return changeFrame(event.type, event.stored);
    if (format === "protobuf") return storedFrame(event.type, event.stored, facts);
    return frame(event.type, event.stored.object, factsOfAnswer(event.stored.object, resource, ""));
  };
}

export function metadataFrames(format: Format, version: MetaVersion | undefined): FrameEncoder {
  const frame = framings[format];
  const facts = metaTypeFacts("PartialObjectMetadata");
  return (event) => {
    if (event.type === "ERROR") return frame("ERROR", event.status, metaTypeFacts("Status"));
    const object = event.type === "BOOKMARK" ? { metadata: bookmarkMeta(event) } : event.stored.object;
    return frame(event.type, partialMetadata(object, version), facts);
  };
}

/** Tables of one row; only the first has the column definitions. `nowMs` is asked at every event, for ages. */
export function tableFrames(resource: Resource, options: Omit<TableOptions, "nowMs">, nowMs: () => number): FrameEncoder {
  let withoutHeader = false;
  const frame = (type: string, object: object) => framings.json(type, object, resource.facts);
  return (event) => {
    if (event.type === "ERROR") return frame("ERROR", event.status);
    const tableOptions = { ...options, nowMs: nowMs(), withoutHeader };
    withoutHeader = true;
    if (event.type === "BOOKMARK") {
      const table = tableOf(resource, [], bookmarkMeta(event), tableOptions);
      const bare = { object: { kind: resource.kind, apiVersion: resource.apiVersion, metadata: bookmarkMeta(event) } };
      return frame("BOOKMARK", { ...table, rows: [{ cells: [], ...bare }] });
    }
    const metadata = { resourceVersion: event.stored.object.metadata.resourceVersion };
    return frame(event.type, tableOf(resource, [event.stored], metadata, tableOptions));
  };
}

export interface WatchAnswer {
  readonly batches: AsyncIterable<readonly StoredWatchEvent[]>;
  readonly encode: FrameEncoder;
  readonly format: Format;
  readonly signal: AbortSignal;
  /** Told how many events were sent. */
  sent(count: number): void;
}

/** Writes batches of events until they end or the client is gone. */
export async function writeWatch(response: FrontResponse, { batches, encode, format, signal, sent }: WatchAnswer): Promise<void> {
  response.writeHead(200, { "Content-Type": streamTypes[format] ?? "" });
  response.flushHeaders?.();
  for await (const batch of batches) {
    if (signal.aborted) break;
    let hasRoom = true;
    // HTTP/1.1 gathers what one turn writes by itself; cork() would send the length of the chunk as a TLS record of its own.
    for (const event of batch) hasRoom = response.write(encode(event));
    sent(batch.length);
    if (!hasRoom) await drained(response);
    if (signal.aborted) break;
  }
  response.end();
}
