// A client that creates, replaces, patches and deletes config maps of a server that may be killed, and tells what it was promised.
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiObject } from "../../../bench/api.ts";
import { type Answer, Connection, type Request } from "../../../bench/connection.ts";
import type { Target } from "../../../bench/target.ts";
import { type Random, randomInt } from "../../../src/base/index.ts";
import type { Happening } from "./happening.ts";
import { bodyOf, MAPS, type NumberedMap, readMap } from "./numbered-map.ts";

const KEYS = 6;
const RETRY_MS = 20;
/** Answers that say that nothing was written. */
const REFUSALS = [404, 409, 410, 422, 429];

export interface ApiWriterOptions {
  readonly target: Target;
  /** Unique among the writers. */
  readonly name: string;
  readonly random: Random;
  readonly tell: (happening: Happening) => void;
  /** The newest revision that any writer knows of, by key; shared by all. */
  readonly known: Map<string, number>;
}

/** Writes until the signal aborts. */
export async function writeMaps(options: ApiWriterOptions, signal: AbortSignal): Promise<void> {
  const { target, name, random } = options;
  let connection: Connection | undefined;
  for (let count = 0; !signal.aborted; count++) {
    try {
      connection ??= await Connection.open(target);
      await writeOne(connection, options, `${name}-${count}-${randomInt(random, 1_000_000)}`);
    } catch {
      connection?.close();
      connection = undefined;
      await sleep(RETRY_MS);
    }
  }
  connection?.close();
}

/** Rejects when it is not known whether the write was done. */
async function writeOne(connection: Connection, { random, tell, known }: ApiWriterOptions, newValue: string): Promise<void> {
  const key = `map-${randomInt(random, KEYS)}`;
  const floor = known.get(key) ?? 0;
  const map = await readOne(connection, key);
  if (map !== undefined && map.revision < floor) tell({ what: "stale", key, revision: map.revision, value: null });
  const value = map !== undefined && random.next() < 0.2 ? null : newValue;
  tell({ what: "begun", key, revision: 0, value });
  const answer = await connection.send(requestOf(key, value, map, random));
  if (REFUSALS.includes(answer.status)) return;
  if (answer.status >= 300) throw new Error(`answered ${answer.status}`);
  const revision = revisionOf(answer, map, value);
  known.set(key, Math.max(known.get(key) ?? 0, revision));
  tell({ what: "promised", key, revision, value });
}

async function readOne(connection: Connection, key: string): Promise<NumberedMap | undefined> {
  const { status, body } = await connection.send({ method: "GET", path: `${MAPS}/${key}` });
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`answered ${status}`);
  return readMap(JSON.parse(body.toString()) as ApiObject);
}

function requestOf(name: string, value: string | null, map: NumberedMap | undefined, random: Random): Request {
  const path = `${MAPS}/${name}`;
  if (map === undefined) return { method: "POST", path: MAPS, body: JSON.stringify(bodyOf(name, value ?? "")) };
  if (value === null) {
    const preconditions = { resourceVersion: `${map.revision}` };
    return { method: "DELETE", path, body: JSON.stringify({ apiVersion: "v1", kind: "DeleteOptions", preconditions }) };
  }
  const body = JSON.stringify(bodyOf(name, value, map.revision));
  if (random.next() < 0.5) return { method: "PUT", path, body };
  return { method: "PATCH", path, body, contentType: "application/merge-patch+json" };
}

/** Of a deletion it is known only that it is later than what was deleted, and before all that follows. */
function revisionOf({ body }: Answer, map: NumberedMap | undefined, value: string | null): number {
  return value === null ? (map?.revision ?? 0) + 0.5 : readMap(JSON.parse(body.toString()) as ApiObject).revision;
}
