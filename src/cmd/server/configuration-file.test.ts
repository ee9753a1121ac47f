import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Registry } from "prom-client";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import { ConfigurationFile } from "./configuration-file.ts";

test("a configuration is followed, and one that cannot be understood leaves the one before in force", async () => {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-configuration-"));
  const stop = new AbortController();
  try {
    const path = join(directory, "authorization.yaml");
    const replace = (text: string) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    replace("first");
    const file = new ConfigurationFile("authorization", path);
    const clock = new VirtualClock();
    const metrics = new Registry();
    const applied: string[] = [];
    file.follow(
      (text) => {
        if (text === "wrong") throw new Error("cannot be followed");
        applied.push(text);
      },
      { clock, logger: silentLogger, metrics, serverId: "10.0.0.1:6443", signal: stop.signal },
    );
    for (const text of ["first", "second", "wrong", "third"]) {
      replace(text);
      await clock.advance(60_000);
    }
    assert.deepEqual(applied, ["second", "third"]);
    assert.equal(file.text, "third");
    const text = await metrics.metrics();
    assert.match(
      text,
      /apiserver_authorization_config_controller_automatic_reloads_total\{status="success",apiserver_id_hash="sha256:\w{64}"\} 2/,
    );
    assert.match(text, /apiserver_authorization_config_controller_automatic_reloads_total\{status="failure"/);
  } finally {
    stop.abort();
    rmSync(directory, { recursive: true });
  }
});
