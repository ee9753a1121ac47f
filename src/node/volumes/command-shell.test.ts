import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CommandShell, ShellCommandError } from "./command-shell.ts";

describe("CommandShell", () => {
  it("runs commands with any words, none of which the shell takes for its own", async () => {
    const directory = mkdtempSync(join(tmpdir(), "k8ts-shell-"));
    const names = ["plain", "two words", "it's", '$(touch x) `touch x` "; touch x', "line\nfeed", "-n"];
    try {
      const shell = new CommandShell();
      await Promise.all(names.map((name) => shell.run(["mkdir", join(directory, name)])));
      assert.deepEqual(readdirSync(directory).sort(), names.toSorted());
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("says how a command failed, and none of the others with it", async () => {
    const shell = new CommandShell();
    const isTold = (error: unknown) => error instanceof ShellCommandError && /failed with status 3: one\ntwo$/.test(error.message);
    const failing = assert.rejects(shell.run(["sh", "-c", "echo one; echo two >&2; exit 3"]), isTold);
    await shell.run(["true"]);
    await failing;
    await assert.rejects(shell.run(["no-such-command"]), /status 127/);
  });

  it("holds no command up by a slow one", async () => {
    const shell = new CommandShell();
    let isSlowDone = false;
    const slow = shell.run(["sleep", "0.5"]).then(() => {
      isSlowDone = true;
    });
    await shell.run(["true"]);
    assert.equal(isSlowDone, false);
    await slow;
  });

  it("goes on with a new shell when one was killed, and still hears of what that one began", async () => {
    const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
    const others = new Set(children());
    const shell = new CommandShell();
    await shell.run(["true"]);
    const slow = shell.run(["sleep", "0.2"]);
    await shell.run(["true"]);
    for (const pid of children()) if (!others.has(pid)) process.kill(Number(pid), "SIGKILL");
    await slow;
    await shell.run(["true"]);
  });
});
