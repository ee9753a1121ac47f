// Snapshots that someone has damaged or made up: their archives, and what is in archives that are whole.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type Header, pack } from "tar-stream";
import { DEFAULT_SPEC } from "../../../../src/cmd/config/cluster.ts";
import { layoutOf } from "../../../../src/cmd/config/layout.ts";
import { CLUSTER, MANIFEST, SnapshotError, STORE } from "../../../../src/cmd/snapshot/archive.ts";
import { restoreSnapshot } from "../../../../src/cmd/snapshot/snapshot.ts";
import type { FuzzTarget } from "../target.ts";

/** Between the parts of an input; in a manifest what stands for the digests. */
const SEPARATOR = "\n\0\n";
const DIGESTS = '"DIGESTS"';
const PARTS = [MANIFEST, CLUSTER, STORE, "pki/encryption.yaml"] as const;

const manifest = `{"version":1,"takenAt":"2026-01-01T00:00:00Z","revision":3,"count":1,"digests":${DIGESTS}}`;
const store = '{"key":"/registry/core/configmaps/a/b","value":"e30=","createRevision":2,"modRevision":3}\n';
const rules =
  "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources: [{resources: [secrets], providers: [{identity: {}}]}]\n";
const parts = [manifest, JSON.stringify(DEFAULT_SPEC), store, rules];

type Entry = Partial<Header> & { readonly name: string };

function archiveOf(entries: readonly (readonly [Entry, string])[]): Promise<Buffer> {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header, content);
  archive.finalize();
  return buffer(archive);
}

/** An archive with these parts, whose digests are right. */
function wholeArchive(texts: readonly string[]): Promise<Buffer> {
  const digest = (text: string) => createHash("sha256").update(text).digest("hex");
  const [given = "", ...files] = texts;
  const named = PARTS.slice(1).map((name, index) => [name, files[index] ?? ""] as const);
  const digests = Object.fromEntries(named.map(([name, text]) => [name, digest(text)]));
  const all = [...named, [MANIFEST, given.replace(DIGESTS, JSON.stringify(digests))] as const];
  return archiveOf(all.map(([name, text]) => [{ name }, text] as const));
}

/** Makes a cluster's directory of the archive, and looks whether anything was written beside it. */
async function restore(archive: Buffer): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-fuzz-"));
  const file = join(directory, "cluster.snapshot");
  writeFileSync(file, archive);
  try {
    await restoreSnapshot(file, layoutOf(join(directory, "data"), join(directory, "run")));
    assert.deepEqual(readdirSync(directory).sort(), ["cluster.snapshot", "data"]);
    assert.deepEqual(readdirSync(join(directory, "data")).sort(), ["cluster.json", "pki", "server"]);
  } catch (error) {
    assert.deepEqual(readdirSync(directory), ["cluster.snapshot"]);
    throw error;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const isRefusal = (error: unknown) => error instanceof SnapshotError;

export const snapshotTargets: readonly FuzzTarget[] = [
  {
    name: "snapshot-archive",
    corpus: [
      await wholeArchive(parts),
      await archiveOf([
        [{ name: "../outside" }, "x"],
        [{ name: "pki/../../x" }, "x"],
        [{ name: "pki/link", type: "symlink", linkname: "/etc" }, ""],
      ]),
      await archiveOf([[{ name: `pki/${"a".repeat(200)}`, pax: { size: "9999999999" } }, "x"]]),
    ],
    words: ["../", "pki/", "\0\0\0\0", "0000644\0", "77777777777\0", "ustar\0", "L", "x", "2", "path=../x\n", "30 size=99999999999999\n"],
    run: restore,
    isRefusal,
  },
  {
    name: "snapshot-content",
    corpus: [parts.join(SEPARATOR)],
    words: ["null", "{}", "[]", "1", '""', ": ", DIGESTS, SEPARATOR, '"nodes":', '"count":', "- ", "&a ", "*a", "secretbox:", "/registry"],
    run: async (input) => restore(await wholeArchive(input.toString("utf8").split(SEPARATOR))),
    isRefusal,
  },
];
