// A server whose disk is full: it says so to those who write, goes on for those who read, and takes writes again when there is room.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ApiList, call } from "../../bench/api.ts";
import { Connection } from "../../bench/connection.ts";
import { OwnServer } from "../../bench/server.ts";
import type { Target } from "../../bench/target.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const DISK_BYTES = 24 << 20;
/** Left for the store when the rest is taken. */
const ROOM_BYTES = 1 << 20;
const TEXT = "x".repeat(20_000);
const skip = process.getuid?.() === 0 ? false : "mounts a disk";

/** Writes config maps until one is refused; answers how many were taken, and the refusal. */
async function writeUntilRefused(target: Target, prefix: string, atMost: number) {
  const connection = await Connection.open(target);
  try {
    for (let count = 0; count < atMost; count++) {
      const body = JSON.stringify({ metadata: { name: `${prefix}-${count}`, labels: { test: "full" } }, data: { text: TEXT } });
      const answer = await connection.send({ method: "POST", path: MAPS, body });
      if (answer.status !== 201)
        return { count, refusal: JSON.parse(answer.body.toString()) as { readonly code: number; readonly message: string } };
    }
    return { count: atMost, refusal: undefined };
  } finally {
    connection.close();
  }
}

async function names(target: Target): Promise<string[]> {
  const connection = await Connection.open(target);
  const { items } = await call<ApiList>(connection, { method: "GET", path: `${MAPS}?labelSelector=test=full&resourceVersion=` }, 200);
  connection.close();
  return items.map(({ metadata }) => metadata.name).sort();
}

test("a server whose disk is full goes on, loses nothing, and takes writes when there is room again", { skip }, async () => {
  const disk = mkdtempSync(join(tmpdir(), "k8ts-full-"));
  const before = process.env["TMPDIR"];
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", disk]);
  try {
    process.env["TMPDIR"] = disk;
    await using server = await OwnServer.start({});
    const { target, pid } = server;
    const { bavail, bsize } = statfsSync(disk);
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - ROOM_BYTES));
    const { count, refusal } = await writeUntilRefused(target, "before", 1000);
    assert.equal(refusal?.code, 500);
    assert.match(refusal?.message ?? "", /disk is full: free some space, what is stored is unharmed/);
    assert.equal((await names(target)).length, count);
    rmSync(ballast);
    assert.deepEqual(await writeUntilRefused(target, "after", 10), { count: 10, refusal: undefined });
    assert.equal(server.pid, pid);
    const kept = await names(target);
    await server.stop("SIGKILL");
    await server.startAgain();
    assert.deepEqual(await names(target), kept);
    assert.equal(kept.length, count + 10);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true });
  }
});
