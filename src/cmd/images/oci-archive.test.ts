import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { extract, type Header } from "tar-stream";
import { defaultName, nameArchive } from "./name-archive.ts";
import { type ImageSpec, writeOciArchive } from "./oci-archive.ts";
import { normaliseReference } from "./reference.ts";

interface Member {
  readonly header: Header;
  readonly bytes: Buffer;
}

async function members(archive: Readable): Promise<Map<string, Member>> {
  const found = new Map<string, Member>();
  const reader = archive.pipe(extract() as unknown as NodeJS.WritableStream) as unknown as ReturnType<typeof extract>;
  for await (const entry of reader)
    found.set(entry.header.name, { header: entry.header, bytes: await buffer(entry as unknown as Readable) });
  return found;
}

function json(member: Member | undefined) {
  assert.ok(member !== undefined);
  return JSON.parse(member.bytes.toString());
}

function scratch(): { readonly directory: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-oci-"));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

function spec(directory: string): ImageSpec {
  writeFileSync(join(directory, "program"), "the program", { mode: 0o755 });
  return {
    reference: "docker.io/library/thing:1",
    architecture: "amd64",
    config: { Entrypoint: ["/usr/bin/program"] },
    entries: [
      { type: "copy", path: "usr/bin/program", from: join(directory, "program") },
      { type: "symlink", path: "bin", target: "usr/bin" },
      { type: "file", path: "etc/passwd", content: "root:x:0:0::/:/bin/sh\n" },
      { type: "directory", path: "tmp", mode: 0o1777 },
    ],
  };
}

test("every blob is stored under its own digest, from the index down to the files", async () => {
  using dir = scratch();
  const path = join(dir.directory, "thing.tar");
  await writeOciArchive(path, spec(dir.directory));
  const archive = await members(createReadStream(path));
  const blob = (descriptor: { readonly digest: string; readonly size: number }) => {
    const member = archive.get(`blobs/${descriptor.digest.replace(":", "/")}`);
    assert.ok(member !== undefined);
    assert.equal(`sha256:${createHash("sha256").update(member.bytes).digest("hex")}`, descriptor.digest);
    assert.equal(member.bytes.length, descriptor.size);
    return member;
  };
  const manifest = json(blob(json(archive.get("index.json")).manifests[0]));
  const config = json(blob(manifest.config));
  assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0].digest]);
  const { Readable } = await import("node:stream");
  const layer = await members(Readable.from([blob(manifest.layers[0]).bytes]));
  assert.deepEqual([...layer.keys()], ["bin", "etc", "etc/passwd", "tmp", "usr", "usr/bin", "usr/bin/program"]);
  assert.equal(layer.get("usr/bin/program")?.header.mode, 0o755);
  assert.equal(layer.get("usr/bin/program")?.bytes.toString(), "the program");
  assert.equal(layer.get("tmp")?.header.mode, 0o1777);
  assert.equal(layer.get("bin")?.header.linkname, "usr/bin");
});

test("the same content gives the same bytes", async () => {
  using dir = scratch();
  const paths = ["a.tar", "b.tar"].map((name) => join(dir.directory, name));
  for (const path of paths) await writeOciArchive(path, spec(dir.directory));
  const [a, b] = paths.map((path) => readFileSync(path));
  assert.ok(a !== undefined && b !== undefined && a.equals(b));
});

test("an archive that names its image only by tag gets its file's name", async () => {
  using dir = scratch();
  const path = join(dir.directory, "Kubia.oci.tar");
  await writeOciArchive(path, { ...spec(dir.directory), reference: "" });
  const bare = await members(nameArchive(createReadStream(path), defaultName(path)));
  const annotations = json(bare.get("index.json")).manifests[0].annotations;
  assert.equal(annotations["io.containerd.image.name"], "docker.io/library/kubia:latest");
});

test("references get the registry, path and tag that containerd expects", () => {
  const cases = {
    busybox: "docker.io/library/busybox:latest",
    "luksa/kubia:v1": "docker.io/luksa/kubia:v1",
    "localhost:5000/a": "localhost:5000/a:latest",
    "registry.k8s.io/pause:3.10": "registry.k8s.io/pause:3.10",
    "nginx@sha256:00": "docker.io/library/nginx@sha256:00",
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(normaliseReference(text), expected);
});
