// Kills `k8ts snapshot save` and `restore` when they are about to make a system call that the seed tells: what was there before must
// still be there, what stands under its final name must be whole, and the same again must work.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Random, randomInt, SeededRandom } from "../../../src/base/index.ts";
import { DEFAULT_SPEC, nodesOf } from "../../../src/cmd/config/cluster.ts";
import { type Layout, layoutOf } from "../../../src/cmd/config/layout.ts";
import { ensureClusterPki } from "../../../src/cmd/pki/cluster-pki.ts";
import { DATA_FILE } from "../../../src/cmd/server/open-store.ts";
import { verifySnapshot } from "../../../src/cmd/snapshot/snapshot.ts";
import { SystemClock } from "../../../src/cmd/system/clock.ts";
import { LmdbStore } from "../../../src/storage/index.ts";
import { killedAt, type Moment } from "./strace.ts";

const OBJECTS = 300;
const MAX_CALLS = 30;
const CALLS = ["write", "pwrite64", "writev", "fsync", "fdatasync", "rename", "mkdir", "unlink", "rmdir", "ftruncate"];
const CLI = fileURLToPath(new URL("../../../src/cmd/k8ts.ts", import.meta.url));

/** Rejects when a seed finds something wrong. */
export async function tortureSnapshot(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const directory = mkdtempSync(join(tmpdir(), "k8ts-snapshots-"));
  const file = join(directory, "cluster.snapshot");
  const [source, target] = ["source", "target"].map((name) => layoutOf(join(directory, name), join(directory, "run"))) as [Layout, Layout];
  const save = snapshotCommand("save", file, source);
  const restore = snapshotCommand("restore", file, target);
  try {
    const objects = await makeCluster(source);
    await diesAt(momentOf(random), save);
    if (existsSync(file)) await verifySnapshot(file);
    await succeeds(save);
    assert.equal((await verifySnapshot(file)).count, OBJECTS);
    await diesAt(momentOf(random), restore);
    if (!existsSync(target.clusterFile)) await succeeds(restore);
    assert.deepEqual(await contentOf(target), objects);
    assert.deepEqual(readFileSync(join(target.pki, "ca.key")), readFileSync(join(source.pki, "ca.key")));
    assert.deepEqual(await contentOf(source), objects);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function snapshotCommand(verb: string, file: string, { dataDirectory, runDirectory }: Layout): string[] {
  const options = ["--data-dir", dataDirectory, "--run-dir", runDirectory];
  return [process.execPath, "--disable-warning=ExperimentalWarning", CLI, "snapshot", verb, file, ...options];
}

/** A cluster's directory, and what is in its store. */
async function makeCluster(layout: Layout) {
  const clock = new SystemClock();
  mkdirSync(layout.serverData, { recursive: true });
  writeFileSync(layout.clusterFile, JSON.stringify(DEFAULT_SPEC));
  await ensureClusterPki({ directory: layout.pki, spec: DEFAULT_SPEC, nodes: nodesOf(DEFAULT_SPEC), clock });
  const store = new LmdbStore({ path: join(layout.serverData, DATA_FILE), clock });
  const value = Buffer.from(JSON.stringify({ text: "x".repeat(500) }));
  await Promise.all(Array.from({ length: OBJECTS }, (_, index) => store.create(`/registry/core/configmaps/default/${index}`, value)));
  await store.close();
  return contentOf(layout);
}

async function contentOf({ serverData }: Layout) {
  const store = new LmdbStore({ path: join(serverData, DATA_FILE), clock: new SystemClock() });
  const { entries, revision } = await store.range("/");
  const copied = entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value).toString() }));
  await store.close();
  return { revision, entries: copied };
}

/** The program may be through before the moment comes. */
async function diesAt(moment: Moment, command: readonly string[]): Promise<void> {
  const child = killedAt(moment, command);
  child.stdout.resume();
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  assert.ok(code === 0 || signal === "SIGKILL", `it ended with ${code ?? signal}, to be killed at ${moment.call} ${moment.count}`);
}

async function succeeds([program = "", ...args]: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args);
}

function momentOf(random: Random): Moment {
  return { call: CALLS[randomInt(random, CALLS.length)] ?? "rename", count: 1 + randomInt(random, MAX_CALLS) };
}
