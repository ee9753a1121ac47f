// Takes one file out of a zip archive.
import { chmodSync, createReadStream, createWriteStream, mkdirSync, renameSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const END_LENGTH = 22;
const ENTRY_LENGTH = 46;
const LOCAL_LENGTH = 30;
const DEFLATED = 8;

export interface UnzipOptions {
  readonly zip: string;
  readonly member: string;
  readonly to: string;
  readonly mode: number;
}

interface Member {
  readonly method: number;
  readonly length: number;
  readonly dataOffset: number;
}

/** Writes the member beside its place and moves it there when it is whole. Reads archives below 4 GiB without a comment. */
export async function unzipFile({ zip, member, to, mode }: UnzipOptions): Promise<void> {
  const { method, length, dataOffset } = await findMember(zip, member);
  const compressed = createReadStream(zip, { start: dataOffset, end: dataOffset + length - 1 });
  mkdirSync(dirname(to), { recursive: true });
  const output = createWriteStream(`${to}.new`);
  if (method === DEFLATED) await pipeline(compressed, createInflateRaw(), output);
  else await pipeline(compressed, output);
  chmodSync(`${to}.new`, mode);
  renameSync(`${to}.new`, to);
}

async function findMember(zip: string, name: string): Promise<Member> {
  await using file = await open(zip, "r");
  const { size } = await file.stat();
  const read = async (position: number, length: number) => (await file.read(Buffer.alloc(length), 0, length, position)).buffer;
  const end = await read(size - END_LENGTH, END_LENGTH);
  if (end.readUInt32LE(0) !== END_OF_DIRECTORY) throw new Error(`${zip} is not a zip archive`);
  const directory = await read(end.readUInt32LE(16), end.readUInt32LE(12));
  for (let at = 0; at < directory.length && directory.readUInt32LE(at) === DIRECTORY_ENTRY; ) {
    const nameLength = directory.readUInt16LE(at + 28);
    if (directory.toString("utf8", at + ENTRY_LENGTH, at + ENTRY_LENGTH + nameLength) === name) {
      const localOffset = directory.readUInt32LE(at + 42);
      const local = await read(localOffset, LOCAL_LENGTH);
      const dataOffset = localOffset + LOCAL_LENGTH + local.readUInt16LE(26) + local.readUInt16LE(28);
      return { method: directory.readUInt16LE(at + 10), length: directory.readUInt32LE(at + 20), dataOffset };
    }
    at += ENTRY_LENGTH + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  throw new Error(`${zip} has no ${name}`);
}
