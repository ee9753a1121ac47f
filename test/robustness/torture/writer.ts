// The process that is killed: clients that read and write a few keys of one LMDB store, each telling what it begins and what it
// was promised, and a watcher. `node writer.ts <file> <seed>`. It ends only by being killed.
import { writeSync } from "node:fs";
import { randomInt, SeededRandom } from "../../../src/base/index.ts";
import { SystemClock } from "../../../src/cmd/system/clock.ts";
import { KeyExistsError, LmdbStore, RevisionConflictError } from "../../../src/storage/index.ts";
import type { Happening } from "./happening.ts";

const CLIENTS = 4;
const KEYS = 6;
const [path = "", seed = "0"] = process.argv.slice(2);
const store = new LmdbStore({ path, clock: new SystemClock() });
/** The newest revision that any client knows of, by key. */
const known = new Map<string, number>();

/** Written at once, so that the order of lines is the order of what happened. */
function tell(happening: Happening): void {
  writeSync(1, `${JSON.stringify(happening)}\n`);
}

async function watch(): Promise<void> {
  for await (const batch of store.watch("/", { signal: new AbortController().signal })) {
    for (const event of batch) {
      if (event.type === "delete") tell({ what: "seen", key: event.key, revision: event.revision, value: null });
      else
        tell({ what: "seen", key: event.entry.key, revision: event.entry.modRevision, value: Buffer.from(event.entry.value).toString() });
    }
  }
}

async function client(id: number): Promise<void> {
  const random = new SeededRandom(Number(seed) * CLIENTS + id);
  for (let count = 0; ; count++) {
    const key = `/k${randomInt(random, KEYS)}`;
    const floor = known.get(key) ?? 0;
    const entry = await store.get(key);
    if (entry !== undefined && entry.modRevision < floor) tell({ what: "stale", key, revision: entry.modRevision, value: null });
    const value = entry !== undefined && random.next() < 0.2 ? null : `${seed}-${id}-${count}`;
    tell({ what: "begun", key, revision: 0, value });
    try {
      const revision = await write(key, value, entry?.modRevision);
      known.set(key, Math.max(known.get(key) ?? 0, revision));
      tell({ what: "promised", key, revision, value });
    } catch (error) {
      // Another client was faster.
      if (!(error instanceof KeyExistsError || error instanceof RevisionConflictError)) throw error;
    }
  }
}

/** The revision of the write; `value` null deletes. */
async function write(key: string, value: string | null, expected: number | undefined): Promise<number> {
  if (expected === undefined) return (await store.create(key, Buffer.from(value ?? ""))).modRevision;
  if (value === null) return store.delete(key, expected);
  return (await store.update(key, Buffer.from(value), expected)).modRevision;
}

await Promise.all([watch(), ...Array.from({ length: CLIENTS }, (_, id) => client(id))]);
