import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pack } from "tar-stream";
import { VirtualClock } from "../../base/index.ts";
import { EncryptingStore, LmdbStore } from "../../storage/index.ts";
import { DEFAULT_SPEC, nodesOf } from "../config/cluster.ts";
import { type Layout, layoutOf } from "../config/layout.ts";
import { ensureClusterPki } from "../pki/cluster-pki.ts";
import { parseEncryptionConfiguration } from "../server/encryption.ts";
import { SnapshotError } from "./archive.ts";
import { restoreSnapshot, saveSnapshot, verifySnapshot } from "./snapshot.ts";

const SECRET = "/registry/core/secrets/default/s";
const value = (text: string) => Buffer.from(JSON.stringify({ kind: "Secret", apiVersion: "v1", metadata: { name: "s" }, text }));

describe("snapshots", () => {
  const clock = new VirtualClock();
  let directory: string;
  let layout: Layout;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "k8ts-snapshot-"));
    layout = layoutOf(join(directory, "data"), join(directory, "run"));
    file = join(directory, "cluster.snapshot");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const openStore = ({ serverData, pki }: Layout) => {
    const rules = parseEncryptionConfiguration(readFileSync(join(pki, "encryption.yaml"), "utf8"), (count) => Buffer.alloc(count, 7));
    return new EncryptingStore(new LmdbStore({ path: join(serverData, "data.mdb"), clock }), rules);
  };

  /** A cluster's directory with a store that is in use. */
  async function makeCluster() {
    mkdirSync(layout.serverData, { recursive: true });
    writeFileSync(layout.clusterFile, JSON.stringify(DEFAULT_SPEC));
    await ensureClusterPki({ directory: layout.pki, spec: DEFAULT_SPEC, nodes: nodesOf(DEFAULT_SPEC), clock });
    const store = openStore(layout);
    const first = await store.create(SECRET, value("one"));
    await store.update(SECRET, value("two"), first.modRevision);
    await store.create("/registry/core/events/default/e", value("event"), { ttlSeconds: 60 });
    await Promise.all(Array.from({ length: 1_500 }, (_, i) => store.create(`/registry/core/configmaps/default/${i}`, value(`${i}`))));
    return store;
  }

  it("are saved while the store is in use, and made a cluster of with all revisions, keys and ends", async () => {
    const store = await makeCluster();
    const saved = await saveSnapshot(file, { layout, spec: DEFAULT_SPEC, clock });
    assert.deepEqual(saved, { takenAt: "2026-01-01T00:00:00Z", count: 1_502, revision: await store.currentRevision() });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal((await verifySnapshot(file)).count, 1_502);
    const before = (await store.range("/")).entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value).toString() }));
    await store.close();

    const other = layoutOf(join(directory, "other"), join(directory, "run"));
    await restoreSnapshot(file, other);
    assert.deepEqual(readFileSync(join(other.pki, "ca.key")), readFileSync(join(layout.pki, "ca.key")));
    assert.equal(statSync(join(other.pki, "ca.key")).mode & 0o777, 0o600);
    const restored = openStore(other);
    const after = (await restored.range("/")).entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value).toString() }));
    assert.deepEqual(after, before);
    assert.equal(await restored.currentRevision(), saved.revision);
    await clock.advance(61_000);
    // Shares the flush of the deletion, or comes behind it.
    await restored.create("/later", value("later"));
    assert.equal(await restored.get("/registry/core/events/default/e"), undefined);
    await restored.close();
  });

  it("are not restored over a cluster, nor into a directory of something else", async () => {
    await (await makeCluster()).close();
    await saveSnapshot(file, { layout, spec: DEFAULT_SPEC, clock });
    await assert.rejects(restoreSnapshot(file, layout), /there is a cluster in .*: take it down first/);
    rmSync(layout.clusterFile);
    await assert.rejects(restoreSnapshot(file, layout), /is not empty/);
    assert.ok(existsSync(layout.pki));
  });

  it("that were damaged or cut off are refused and leave nothing", async () => {
    await (await makeCluster()).close();
    await saveSnapshot(file, { layout, spec: DEFAULT_SPEC, clock });
    const whole = readFileSync(file);
    const other = layoutOf(join(directory, "other"), join(directory, "run"));
    const at = whole.indexOf('"createRevision":2');
    const changed = Buffer.from(whole);
    changed[at + 17] = "9".charCodeAt(0);
    for (const damaged of [changed, whole.subarray(0, whole.length / 2), whole.subarray(0, -4096), Buffer.from("no tar")]) {
      writeFileSync(file, damaged);
      await assert.rejects(restoreSnapshot(file, other), { code: "SNAPSHOT" });
      assert.ok(!existsSync(other.dataDirectory) && !existsSync(`${other.dataDirectory}.restoring`));
    }
  });

  it("whose files are not what they are called are refused", async () => {
    const digest = (text: string) => createHash("sha256").update(text).digest("hex");
    const rules = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n";
    const files = { "cluster.json": JSON.stringify(DEFAULT_SPEC), "store.jsonl": "", "pki/encryption.yaml": rules };
    const write = async (changed: Readonly<Record<string, string>>) => {
      const all = { ...files, ...changed };
      const digests = Object.fromEntries(Object.entries(all).map(([name, text]) => [name, digest(text)]));
      const manifest = JSON.stringify({ version: 1, takenAt: "", revision: 1, count: 0, digests });
      const archive = pack();
      for (const [name, text] of Object.entries({ "snapshot.json": manifest, ...all })) archive.entry({ name }, text);
      archive.finalize();
      await finished(archive.pipe(createWriteStream(file)));
    };
    await write({});
    assert.equal((await verifySnapshot(file)).count, 0);
    for (const changed of [
      { "snapshot.json": "{" },
      { "snapshot.json": '{"version":1}' },
      { "cluster.json": "null" },
      { "cluster.json": '{"nodeNetwork":5}' },
      { "pki/encryption.yaml": "a: [" },
    ]) {
      await write(changed);
      await assert.rejects(verifySnapshot(file), SnapshotError, JSON.stringify(changed));
    }
  });

  it("that lead out of the data directory are refused", async () => {
    for (const header of [
      { name: "pki/../../evil", size: 4 },
      { name: "/etc/evil", size: 4 },
      { name: "pki/link", type: "symlink", linkname: "/etc/passwd" } as const,
      { name: "something", size: 4 },
    ]) {
      const archive = pack();
      if ("linkname" in header) archive.entry(header);
      else archive.entry(header, "evil");
      archive.finalize();
      await finished(archive.pipe(createWriteStream(file)));
      const other = layoutOf(join(directory, "other"), join(directory, "run"));
      await assert.rejects(restoreSnapshot(file, other), /is no snapshot: it has an entry/);
      assert.ok(!existsSync(join(directory, "evil")) && !existsSync(other.dataDirectory));
    }
  });
});
