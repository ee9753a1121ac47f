// Writes OCI image archives: a tar of an image layout with one platform and one uncompressed layer. The same input gives the
// same bytes, so that an image's id changes only with its content.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Header, type Pack, pack } from "tar-stream";

/** One entry of the image's root file system. Paths have no leading slash. */
export type ImageEntry =
  | { readonly type: "directory"; readonly path: string; readonly mode?: number }
  | { readonly type: "file"; readonly path: string; readonly content: string | Uint8Array; readonly mode?: number }
  /** A copy of a file of this machine. */
  | { readonly type: "copy"; readonly path: string; readonly from: string; readonly mode?: number }
  | { readonly type: "symlink"; readonly path: string; readonly target: string };

/** The part of an image's configuration that says how it runs; the names are OCI's. */
export interface ImageRunConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
}

export interface ImageSpec {
  /** With registry and tag: `docker.io/library/busybox:latest`. */
  readonly reference: string;
  readonly architecture: string;
  readonly config: ImageRunConfig;
  readonly entries: readonly ImageEntry[];
}

const EPOCH = new Date(0);
const TYPES = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** OCI's word for this machine's processor. */
export function ociArchitecture(nodeArchitecture: string): string {
  return nodeArchitecture === "x64" ? "amd64" : nodeArchitecture;
}

/** Writes the archive beside its place and moves it there when it is whole. */
export async function writeOciArchive(path: string, spec: ImageSpec): Promise<void> {
  const layer = await measureLayer(spec.entries);
  const config = jsonBlob(TYPES.config, {
    architecture: spec.architecture,
    os: "linux",
    created: EPOCH.toISOString(),
    config: spec.config,
    rootfs: { type: "layers", diff_ids: [layer.digest] },
    history: [{ created: EPOCH.toISOString(), created_by: "k8ts" }],
  });
  const manifest = jsonBlob(TYPES.manifest, { schemaVersion: 2, mediaType: TYPES.manifest, config: config.descriptor, layers: [layer] });
  const annotations = { "io.containerd.image.name": spec.reference, "org.opencontainers.image.ref.name": spec.reference };
  const platform = { architecture: spec.architecture, os: "linux" };
  const index = { schemaVersion: 2, mediaType: TYPES.index, manifests: [{ ...manifest.descriptor, platform, annotations }] };
  mkdirSync(dirname(path), { recursive: true });
  const archive = pack();
  const written = pipeline(archive, createWriteStream(`${path}.new`));
  await addFile(archive, "oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await addFile(archive, "index.json", JSON.stringify(index));
  for (const blob of [manifest, config]) await addFile(archive, blobPath(blob.descriptor), blob.bytes);
  await addLayer(archive, layer, spec.entries);
  archive.finalize();
  await written;
  renameSync(`${path}.new`, path);
}

function jsonBlob(mediaType: string, value: unknown): { readonly descriptor: Descriptor; readonly bytes: Buffer } {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

function blobPath(descriptor: Descriptor): string {
  return `blobs/${descriptor.digest.replace(":", "/")}`;
}

/** A first pass over the layer: its name in the archive depends on all of it. */
async function measureLayer(entries: readonly ImageEntry[]): Promise<Descriptor> {
  const hash = createHash("sha256");
  let size = 0;
  const measure = new Writable({
    write(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done();
    },
  });
  await pipeline(packLayer(entries), measure);
  return { mediaType: TYPES.layer, digest: `sha256:${hash.digest("hex")}`, size };
}

async function addLayer(archive: Pack, layer: Descriptor, entries: readonly ImageEntry[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const entry = archive.entry({ name: blobPath(layer), size: layer.size, mtime: EPOCH }, (error) => (error ? reject(error) : resolve()));
    pipeline(packLayer(entries), entry).catch(reject);
  });
}

function packLayer(entries: readonly ImageEntry[]): Pack {
  const layer = pack();
  fillLayer(layer, entries).catch((error: unknown) => layer.destroy(error as Error));
  return layer;
}

async function fillLayer(layer: Pack, entries: readonly ImageEntry[]): Promise<void> {
  for (const entry of withParents(entries)) {
    if (entry.type === "copy") await copyFile(layer, entry);
    else if (entry.type === "file") await addFile(layer, entry.path, entry.content, entry.mode ?? 0o644);
    else await addHeader(layer, entry);
  }
  layer.finalize();
}

/** Every directory on the way is an entry of its own, before what it holds. */
function withParents(entries: readonly ImageEntry[]): ImageEntry[] {
  const all = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const parent = path.slice(0, end);
      if (!all.has(parent)) all.set(parent, { type: "directory", path: parent });
    }
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function addHeader(target: Pack, entry: Extract<ImageEntry, { type: "directory" | "symlink" }>): Promise<void> {
  const header: Partial<Header> & { readonly name: string } =
    entry.type === "directory"
      ? { name: entry.path, type: "directory", mode: entry.mode ?? 0o755, mtime: EPOCH }
      : { name: entry.path, type: "symlink", linkname: entry.target, mode: 0o777, mtime: EPOCH };
  return new Promise((resolve, reject) => {
    target.entry(header, (error) => (error ? reject(error) : resolve())).end(null);
  });
}

function addFile(target: Pack, name: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const bytes = typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
  return new Promise((resolve, reject) => {
    target.entry({ name, mode, mtime: EPOCH }, bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function copyFile(target: Pack, entry: Extract<ImageEntry, { type: "copy" }>): Promise<void> {
  const { size, mode } = statSync(entry.from);
  await new Promise<void>((resolve, reject) => {
    const header = { name: entry.path, size, mode: entry.mode ?? mode & 0o777, mtime: EPOCH };
    const sink = target.entry(header, (error) => (error ? reject(error) : resolve()));
    pipeline(createReadStream(entry.from), sink).catch(reject);
  });
}
