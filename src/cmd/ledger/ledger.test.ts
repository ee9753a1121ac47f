import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SystemClock } from "../system/clock.ts";
import { identify, isAlive } from "../system/processes.ts";
import type { Change } from "./change.ts";
import { Ledger, LedgerError } from "./ledger.ts";
import { hostUndo } from "./undo.ts";

function scratch(): { readonly directory: string; readonly file: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-ledger-"));
  return { directory, file: join(directory, "ledger.jsonl"), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

const link = (name: string): Change => ({ type: "link", name });

test("changes of a process that crashed are taken back in reverse by the next one", async () => {
  using dir = scratch();
  const first = new Ledger(dir.file);
  for (const name of ["a", "b", "a", "c"]) first.record(link(name));
  appendFileSync(dir.file, '{"type":"link","na');
  const undone: Change[] = [];
  await new Ledger(dir.file).undoAll(async (change) => void undone.push(change));
  assert.deepEqual(undone, [link("c"), link("b"), link("a")]);
  assert.equal(existsSync(dir.file), false);
});

test("a change that cannot be taken back does not stop the others and stays for the next attempt", async () => {
  using dir = scratch();
  const ledger = new Ledger(dir.file);
  for (const name of ["a", "b", "c"]) ledger.record(link(name));
  const undone: Change[] = [];
  const undo = async (change: Change) => {
    if (change.type === "link" && change.name === "b") throw new Error("device is busy");
    undone.push(change);
  };
  await assert.rejects(ledger.undoAll(undo), (error: unknown) => error instanceof LedgerError && /device is busy/.test(error.message));
  assert.deepEqual(undone, [link("c"), link("a")]);
  assert.deepEqual(new Ledger(dir.file).changes, [link("b")]);
});

test("what is to be kept stays on the host and in the ledger", async () => {
  using dir = scratch();
  const ledger = new Ledger(dir.file);
  const data: Change = { type: "path", path: join(dir.directory, "data"), isData: true };
  ledger.record(data);
  ledger.record(link("a"));
  await ledger.undoAll(
    async () => {},
    (change) => change.type === "path" && change.isData,
  );
  assert.deepEqual(new Ledger(dir.file).changes, [data]);
});

test("the host's files, settings and processes are put back, twice without harm", async () => {
  using dir = scratch();
  const setting = join(dir.directory, "setting");
  writeFileSync(setting, "1");
  mkdirSync(join(dir.directory, "tree", "below"), { recursive: true });
  writeFileSync(join(dir.directory, "ours"), '{"sandbox":"/run/k8ts/a"}');
  writeFileSync(join(dir.directory, "theirs"), "{}");
  const child = spawn("sleep", ["4242.125"]);
  const identity = identify(child.pid ?? 0);
  assert.ok(identity !== undefined);
  const undo = hostUndo(new SystemClock());
  const changes: Change[] = [
    { type: "sysctl", path: setting, previous: "0" },
    { type: "path", path: join(dir.directory, "tree"), isData: false },
    { type: "files", directory: dir.directory, containing: "/run/k8ts/" },
    { type: "process", pidFile: join(dir.directory, "none.pid"), argument: "4242.125" },
  ];
  for (const change of [...changes, ...changes]) await undo(change);
  assert.equal(readFileSync(setting, "utf8"), "0");
  assert.deepEqual(readdirSync(dir.directory), ["setting", "theirs"]);
  assert.equal(isAlive(identity), false);
});

test("a pid that now belongs to another process is left alone", async () => {
  using dir = scratch();
  const child = spawn("sleep", ["30"]);
  const identity = identify(child.pid ?? 0);
  assert.ok(identity !== undefined);
  const pidFile = join(dir.directory, "daemon.pid");
  writeFileSync(pidFile, JSON.stringify({ ...identity, startTicks: "1" }));
  await hostUndo(new SystemClock())({ type: "process", pidFile, argument: "no process has this argument" });
  assert.equal(isAlive(identity), true);
  child.kill();
});
