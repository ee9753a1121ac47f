import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { PersistentVolume } from "../../api/types/core/v1.ts";
import { isLocalPath, LocalPathVolumes } from "./local-path.ts";

function volume(name: string, policy = "Delete", node = "node-1"): PersistentVolume {
  return {
    metadata: { name, annotations: { "pv.kubernetes.io/provisioned-by": "k8ts.dev/local-path" } },
    spec: {
      persistentVolumeReclaimPolicy: policy,
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] }] },
      },
    },
  };
}

describe("local-path volumes", () => {
  let root = "";
  let volumes: LocalPathVolumes;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "k8ts-local-path-"));
    volumes = new LocalPathVolumes(join(root, "volumes"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const at = (name: string) => join(root, "volumes", name);

  it("are this node's when the provisioner placed them here", () => {
    assert.equal(isLocalPath(volume("a"), "node-1"), true);
    assert.equal(isLocalPath(volume("a"), "node-2"), false);
    assert.equal(isLocalPath({ ...volume("a"), metadata: { name: "a" } }, "node-1"), false);
    assert.equal(isLocalPath(volume("../a"), "node-1"), false);
  });

  it("are directories that every user may write to, and stay as they are", async () => {
    await volumes.ensure(volume("pvc-1"));
    writeFileSync(join(at("pvc-1"), "data"), "kept");
    await volumes.ensure(volume("pvc-1"));
    assert.equal(statSync(at("pvc-1")).mode & 0o777, 0o777);
    assert.ok(existsSync(join(at("pvc-1"), "data")));
    assert.deepEqual(await volumes.list(), ["pvc-1"]);
  });

  it("go with their volume, unless they are retained", async () => {
    await volumes.ensure(volume("pvc-1"));
    await volumes.ensure(volume("pvc-2"));
    await volumes.ensure(volume("pvc-2", "Retain"));
    for (const name of ["pvc-1", "pvc-2", "pvc-3"]) await volumes.remove(name);
    assert.equal(existsSync(at("pvc-1")), false);
    assert.equal(existsSync(at("pvc-2")), true);
  });

  it("are removed to the end after an interruption", async () => {
    await volumes.ensure(volume("pvc-1"));
    mkdirSync(at(".removing"), { recursive: true });
    mkdirSync(join(at(".removing"), "pvc-1"));
    rmSync(at("pvc-1"), { recursive: true });
    await volumes.remove("pvc-1");
    assert.deepEqual(await volumes.list(), []);
  });

  it("never lead outside: links in them are removed, not followed, and names are checked", async () => {
    writeFileSync(join(root, "precious"), "x");
    mkdirSync(join(root, "precious-directory"));
    writeFileSync(join(root, "precious-directory", "file"), "x");
    await volumes.ensure(volume("pvc-1"));
    symlinkSync(join(root, "precious-directory"), join(at("pvc-1"), "link"));
    await volumes.remove("pvc-1");
    assert.equal(existsSync(at("pvc-1")), false);
    assert.ok(existsSync(join(root, "precious-directory", "file")));
    for (const name of ["..", "../precious", "a/b", "", ".policies"]) {
      await assert.rejects(volumes.remove(name), /is no name of a volume/);
      await assert.rejects(volumes.ensure(volume(name)), /is no name of a volume/);
    }
    assert.ok(existsSync(join(root, "precious")));
  });
});
