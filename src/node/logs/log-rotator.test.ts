import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { containerOf, sandboxOf } from "../runtime/runtime.suite.ts";
import { SimulatedRuntime } from "../runtime/simulated/index.ts";
import { LogRotator } from "./log-rotator.ts";

describe("LogRotator", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "k8ts-rotate-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function setUp(maxFiles: number, reopen?: () => Promise<void>) {
    const clock = new VirtualClock();
    const runtime = new SimulatedRuntime({ clock, random: new SeededRandom(1) });
    await runtime.pullImage("app", undefined);
    const sandbox = { ...sandboxOf({ logDirectory: directory, cgroupParent: "" }, "web"), logDirectory: directory };
    const sandboxId = await runtime.runSandbox(sandbox);
    const id = await runtime.createContainer(sandboxId, { ...containerOf("app", sandbox, {}), logPath: "0.log" }, sandbox);
    await runtime.startContainer(id);
    const path = join(directory, "0.log");
    const listPods = runtime.listPods.bind(runtime);
    const reopenLog = reopen ?? (async () => writeFileSync(path, ""));
    return {
      clock,
      path,
      rotator: new LogRotator({ runtime: { listPods, reopenLog }, clock, logger: silentLogger, maxBytes: 10, maxFiles }),
    };
  }

  it("moves a log that is too long aside, compresses older ones and keeps only so many", async () => {
    const { clock, path, rotator } = await setUp(3);
    for (const text of ["first first", "second second", "third third", "fourth fourth"]) {
      writeFileSync(path, text);
      await rotator.rotateAll();
      await clock.advance(1_000);
    }
    const names = readdirSync(directory).sort();
    assert.deepEqual(names, ["0.log", "0.log.20260101-000002.gz", "0.log.20260101-000003"]);
    assert.equal(gunzipSync(readFileSync(join(directory, "0.log.20260101-000002.gz"))).toString(), "third third");
    assert.equal(readFileSync(join(directory, "0.log.20260101-000003"), "utf8"), "fourth fourth");
  });

  it("neither reads nor writes through a link among the logs", async () => {
    const { path, rotator } = await setUp(3);
    const precious = join(directory, "precious");
    writeFileSync(precious, "precious");
    symlinkSync(precious, `${path}.20260101-000000`);
    symlinkSync(precious, `${path}.20260101-000001.tmp`);
    writeFileSync(path, "long enough text");
    await rotator.rotateAll();
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.endsWith(".gz")),
      [],
    );
    assert.equal(readFileSync(precious, "utf8"), "precious");
  });

  it("leaves a short log alone", async () => {
    const { path, rotator } = await setUp(5);
    writeFileSync(path, "short");
    await rotator.rotateAll();
    assert.deepEqual(readdirSync(directory), ["0.log"]);
  });

  it("puts the log back when the runtime cannot reopen it", async () => {
    const { path, rotator } = await setUp(5, () => Promise.reject(new Error("no shim")));
    writeFileSync(path, "long enough text");
    await rotator.rotateAll();
    assert.deepEqual(readdirSync(directory), ["0.log"]);
    assert.equal(readFileSync(path, "utf8"), "long enough text");
  });
});
