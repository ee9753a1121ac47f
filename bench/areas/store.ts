// Durable writes of the LMDB store, with 1, 64 and 1 024 writers at once, in this process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "../../src/cmd/system/clock.ts";
import { LmdbStore } from "../../src/storage/index.ts";
import { VoidError } from "../api.ts";
import { type Round, type Row, timeRound } from "../measure.ts";
import { realisticPod } from "../objects.ts";

const WRITERS = [1, 64, 1024];

export async function storeArea({ seconds, rounds }: { readonly seconds: number; readonly rounds: number }): Promise<Row[]> {
  const rows: Row[] = [];
  for (const writers of WRITERS) {
    const measured: Round[] = [];
    while (measured.length < rounds) measured.push(await putsOnce(writers, seconds));
    rows.push({ name: `LMDB puts of 3 kB, ${writers} writers`, rounds: measured });
  }
  return rows;
}

async function putsOnce(writers: number, seconds: number): Promise<Round> {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-bench-store-"));
  const store = new LmdbStore({ path: join(directory, "data.mdb"), clock: new SystemClock() });
  const value = Buffer.from(JSON.stringify(realisticPod({ name: "pod" })));
  const latenciesMs: number[] = [];
  const write = async (writer: number, endAt: number) => {
    for (let index = 0, startedAt = performance.now(); startedAt < endAt; index++) {
      await store.create(`/registry/core/pods/bench/${writer}-${index}`, value);
      const now = performance.now();
      latenciesMs.push(now - startedAt);
      startedAt = now;
    }
  };
  try {
    const first = await store.currentRevision();
    const work = async () => {
      const endAt = performance.now() + seconds * 1000;
      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer, endAt)));
      return { operations: latenciesMs.length, latenciesMs };
    };
    const round = await timeRound({ serverPid: process.pid, work });
    const written = (await store.currentRevision()) - first;
    if (written !== round.operations) throw new VoidError(`${written} revisions for ${round.operations} writes`);
    return round;
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
