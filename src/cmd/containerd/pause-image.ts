// The image that holds a pod's namespaces open: Debian's static catatonit, which in `-P` waits and reaps.
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { type ImageSpec, ociArchitecture, writeOciArchive } from "../images/oci-archive.ts";
import { PAUSE_IMAGE } from "./config.ts";

export const CATATONIT = "/usr/bin/catatonit";
const ELF_MAGIC = "\x7fELF";
const PT_INTERP = 3;

/** A catatonit that needs libraries which the image does not have. */
export class PauseImageError extends Error {
  readonly code = "PAUSE_IMAGE";
  override readonly name = "PauseImageError";
}

/** Writes the archive unless it is there. @throws PauseImageError */
export async function ensurePauseArchive(archive: string, binary = CATATONIT): Promise<void> {
  if (existsSync(archive)) return;
  if (!isStaticBinary(binary)) throw new PauseImageError(`${binary} is not a static binary; install the package catatonit of Debian`);
  await writeOciArchive(archive, pauseImage(binary));
}

function pauseImage(binary: string): ImageSpec {
  return {
    reference: PAUSE_IMAGE,
    architecture: ociArchitecture(process.arch),
    config: { Entrypoint: ["/pause", "-P"], User: "65535:65535" },
    entries: [{ type: "copy", path: "pause", from: binary, mode: 0o755 }],
  };
}

/** Whether a file is a 64-bit ELF program that asks for no loader. */
export function isStaticBinary(path: string): boolean {
  const header = readStart(path);
  if (header.toString("latin1", 0, 4) !== ELF_MAGIC) return false;
  const programHeaders = Number(header.readBigUInt64LE(32));
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const types = Array.from({ length: count }, (_, index) => header.readUInt32LE(programHeaders + index * entrySize));
  return !types.includes(PT_INTERP);
}

function readStart(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(4096);
    readSync(file, bytes, 0, bytes.length, 0);
    return bytes;
  } finally {
    closeSync(file);
  }
}
