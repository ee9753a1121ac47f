// Gives the images of an OCI archive the full names that containerd's import looks for, while the archive passes by.
import { basename } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { extract, type Pack, pack } from "tar-stream";
import { normaliseReference } from "./reference.ts";

const CONTAINERD_NAME = "io.containerd.image.name";
const REFERENCE_NAME = "org.opencontainers.image.ref.name";

interface Index {
  readonly manifests?: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

/** What to call an image whose archive does not: the file's name without its extensions. */
export function defaultName(archivePath: string): string {
  return basename(archivePath)
    .replace(/(\.oci|\.docker)?\.tar$/, "")
    .toLowerCase();
}

/** The same archive with a full name on each image of its index. Docker's archives without an index pass unchanged. */
export function nameArchive(archive: Readable, fallback: string): Readable {
  const named = pack();
  const reader = extract();
  reader.on("entry", (header, content, next) => {
    if (header.name.replace(/^\.\//, "") === "index.json") {
      buffer(content as unknown as Readable).then((bytes) => {
        const index = nameIndex(bytes, fallback);
        named.entry({ ...header, size: index.length }, index, next);
      }, next);
    } else {
      copyEntry(named, header, content as unknown as Readable).then(() => next(), next);
    }
  });
  reader.on("finish", () => named.finalize());
  pipeline(archive, reader).catch((error: unknown) => named.destroy(error as Error));
  return Readable.from(named);
}

function copyEntry(target: Pack, header: Parameters<Pack["entry"]>[0], content: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    const sink = target.entry(header, (error) => (error ? reject(error) : resolve()));
    pipeline(content, sink).catch(reject);
  });
}

function nameIndex(bytes: Buffer, fallback: string): Buffer {
  const index = JSON.parse(bytes.toString()) as Index;
  const manifests = (index.manifests ?? []).map((manifest) => {
    const annotations = manifest.annotations ?? {};
    const name = normaliseReference(annotations[CONTAINERD_NAME] || fullName(annotations[REFERENCE_NAME], fallback));
    return { ...manifest, annotations: { ...annotations, [CONTAINERD_NAME]: name } };
  });
  return Buffer.from(JSON.stringify({ ...index, manifests }));
}

/** The annotation holds a whole reference, or by OCI's letter only a tag. */
function fullName(reference: string | undefined, fallback: string): string {
  if (reference === undefined || reference === "") return fallback;
  return /[/:@]/.test(reference) ? reference : `${fallback}:${reference}`;
}
