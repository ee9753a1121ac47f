// Writes until it is killed, and prints each key once it is acknowledged.
import { writeSync } from "node:fs";
import { VirtualClock } from "../../../base/index.ts";
import { LmdbStore } from "../lmdb-store.ts";

const store = new LmdbStore({ path: process.argv[2] ?? "", clock: new VirtualClock() });
await Promise.all(
  Array.from({ length: 16 }, async (_, writer) => {
    for (let i = 0; ; i++) {
      const key = `/w/${writer}/${i}`;
      await store.create(key, Buffer.alloc(500));
      writeSync(1, `${key}\n`);
    }
  }),
);
