// A WATCH answer: one JSON frame a line. The frame of an event is made once and shared by all watchers.
import type { Resource, Stored, StoredWatchEvent } from "../../api/index.ts";
import type { Exchange } from "./exchange.ts";
import { drained } from "./list-writer.ts";
import { partialMetadata, type TableOptions, tableOf } from "./table.ts";

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
export type FrameEncoder = (event: StoredWatchEvent) => Buffer | string;

const initialEventsEnd = { "k8s.io/initial-events-end": "true" };

function bookmarkMeta(event: Extract<StoredWatchEvent, { type: "BOOKMARK" }>) {
  return { resourceVersion: event.resourceVersion, ...(event.isInitialEventsEnd ? { annotations: initialEventsEnd } : {}) };
}

function frame(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function objectFrames(resource: Resource): FrameEncoder {
  const { kind, apiVersion } = resource;
  return (event) => {
    if (event.type === "BOOKMARK") return frame("BOOKMARK", { kind, apiVersion, metadata: bookmarkMeta(event) });
    return event.type === "ERROR" ? frame("ERROR", event.status) : changeFrame(event.type, event.stored);
  };
}

export function metadataFrames(): FrameEncoder {
  return (event) => {
    if (event.type === "BOOKMARK") return frame("BOOKMARK", partialMetadata({ metadata: bookmarkMeta(event) }));
    return frame(event.type, event.type === "ERROR" ? event.status : partialMetadata(event.stored.object));
  };
}

/** Tables of one row; only the first has the column definitions. `nowMs` is asked at every event, for ages. */
export function tableFrames(resource: Resource, options: Omit<TableOptions, "nowMs">, nowMs: () => number): FrameEncoder {
  let withoutHeader = false;
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

/** Writes batches of events until they end or the client is gone. */
export async function writeWatch(
  { response }: Exchange,
  batches: AsyncIterable<readonly StoredWatchEvent[]>,
  encode: FrameEncoder,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.flushHeaders?.();
  for await (const batch of batches) {
    if (signal.aborted) break;
    let hasRoom = true;
    // HTTP/1.1 gathers what one turn writes by itself; cork() would send the length of the chunk as a TLS record of its own.
    for (const event of batch) hasRoom = response.write(encode(event));
    if (!hasRoom) await drained(response);
    if (signal.aborted) break;
  }
  response.end();
}
