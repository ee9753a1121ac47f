import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { handlePath, openSubPath } from "./sub-path.ts";

/** Puts `from` in the place of `to`, where who opens the path may have made a directory in between. */
function replace(from: string, to: string): void {
  for (;;) {
    try {
      rmSync(to, { recursive: true, force: true });
      renameSync(from, to);
      return;
    } catch (error) {
      if (!existsSync(from)) throw error;
    }
  }
}

test("a subPath never leads out of its volume, however often a directory on the way becomes a link and back", async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "k8ts-sub-path-")));
  const volume = join(root, "volume");
  const outside = join(root, "outside");
  mkdirSync(join(volume, "a/b"), { recursive: true });
  mkdirSync(join(outside, "b"), { recursive: true });
  symlinkSync(outside, join(volume, "link"));
  let isOver = false;
  const swap = async () => {
    for (let isLink = false; !isOver; isLink = !isLink) {
      renameSync(join(volume, "a"), join(volume, "parked"));
      replace(join(volume, "link"), join(volume, "a"));
      renameSync(join(volume, "parked"), join(volume, "link"));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const swapping = swap();
  let opened = 0;
  try {
    for (let tried = 0; tried < 400; tried++) {
      const handle = await openSubPath(volume, "a/b").catch(() => undefined);
      if (handle === undefined) continue;
      opened++;
      const path = await readlink(handlePath(handle, process.pid));
      await handle.close();
      assert.ok(path.startsWith(`${volume}/`), path);
    }
  } finally {
    isOver = true;
    await swapping;
    rmSync(root, { recursive: true });
  }
  assert.ok(opened > 0, "now and then it is a directory");
});
