import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { type LogReadOptions, readLog } from "./log-reader.ts";

const LINES = [
  "2026-01-01T00:00:00.000000001Z stdout F one",
  "2026-01-01T00:00:01.5Z stderr F two",
  "2026-01-01T00:00:02Z stdout P thr",
  "2026-01-01T00:00:02Z stdout F ee",
  "2026-01-01T00:00:03Z stdout F ",
];

describe("readLog", () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "k8ts-logs-"));
    path = join(directory, "0.log");
    writeFileSync(path, `${LINES.join("\n")}\n`);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function read(options: LogReadOptions): Promise<string> {
    let text = "";
    for await (const chunk of readLog(path, options)) text += chunk.toString();
    return text;
  }

  it("joins partial lines", async () => {
    assert.equal(await read({}), "one\ntwo\nthree\n\n");
  });

  it("puts the time before whole lines only", async () => {
    const text = await read({ timestamps: true, tailLines: 3 });
    assert.equal(text, "2026-01-01T00:00:02Z three\n2026-01-01T00:00:03Z \n");
  });

  it("shows the last lines, none, or all", async () => {
    assert.equal(await read({ tailLines: 1 }), "\n");
    assert.equal(await read({ tailLines: 0 }), "");
    assert.equal(await read({ tailLines: 99 }), await read({}));
  });

  it("finds the tail across blocks", async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `2026-01-01T00:00:00Z stdout F line ${index}`);
    writeFileSync(path, `${many.join("\n")}\n`);
    const tail = (await read({ tailLines: 3_000 })).trimEnd().split("\n");
    assert.deepEqual([tail.length, tail[0], tail.at(-1)], [3_000, "line 2000", "line 4999"]);
  });

  it("starts at a time, keeps to one stream and to a number of bytes", async () => {
    assert.equal(await read({ sinceMs: Date.parse("2026-01-01T00:00:01.5Z") }), "two\nthree\n\n");
    assert.equal(await read({ stream: "stderr" }), "two\n");
    assert.equal(await read({ limitBytes: 6 }), "one\ntw");
  });

  it("follows across a rotation until the container has ended", async () => {
    const clock = new VirtualClock();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    let change = () => {};
    let isRunning = true;
    const { promise: isWaiting, resolve: waits } = Promise.withResolvers<void>();
    const watcher = {
      watch: (_: string, onChange: () => void) => {
        change = onChange;
        waits();
        return () => {};
      },
    };
    const texts: string[] = [];
    const done = (async () => {
      for await (const chunk of readLog(path, { tailLines: 0, follow: { isRunning: async () => isRunning, watcher, clock } }))
        texts.push(chunk.toString());
    })();
    // The file is read by real input and output, which no clock tells about: look until it has come.
    const until = async (count: number) => {
      while (texts.length < count) {
        change();
        await turn();
      }
    };
    await isWaiting;
    // Half a line is not shown.
    appendFileSync(path, "2026-01-01T00:00:04Z stdout F fo");
    change();
    await clock.advance(0);
    appendFileSync(path, "ur\n");
    await until(1);
    renameSync(path, `${path}.old`);
    writeFileSync(path, "2026-01-01T00:00:05Z stdout F five\n");
    await until(2);
    isRunning = false;
    appendFileSync(path, "2026-01-01T00:00:06Z stdout F six\n");
    await until(3);
    let hasEnded = false;
    void done.finally(() => {
      hasEnded = true;
    });
    while (!hasEnded) await clock.advance(1_000);
    await done;
    assert.deepEqual(texts, ["four\n", "five\n", "six\n"]);
  });
});
