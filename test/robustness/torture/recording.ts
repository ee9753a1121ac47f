// Reads strace's record of a store's process: what it wrote to its file, when it asked for that to reach the disk, what it told.
import type { Happening } from "./happening.ts";

/** The calls to record. */
export const CALLS = ["openat", "lseek", "write", "writev", "pwrite64", "pwritev", "fsync", "fdatasync"];

export interface FileWrite {
  readonly offset: number;
  readonly bytes: Buffer;
  /** Whether the call returns only when the bytes are on the disk. */
  readonly isSynchronous: boolean;
}

export type Call =
  | { readonly name: "write"; readonly write: FileWrite }
  | { readonly name: "sync" }
  | { readonly name: "tell"; readonly happening: Happening };

/** A call begins and ends; calls of other threads may come between. */
export interface Step {
  readonly thread: string;
  readonly at: "begin" | "end";
  readonly call: Call;
}

interface OpenFile {
  readonly isSynchronous: boolean;
  position: number;
}

/** The steps of a process that has `path` open and tells on its standard output. */
export function stepsOf(record: string, path: string): Step[] {
  const reader = new RecordReader(path);
  return record.split("\n").flatMap((line) => reader.stepsOf(line));
}

class RecordReader {
  readonly #path: string;
  readonly #files = new Map<string, OpenFile>();
  /** Calls that have begun, by thread. */
  readonly #underWay = new Map<string, Call>();

  constructor(path: string) {
    this.#path = path;
  }

  stepsOf(line: string): Step[] {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest.startsWith("<... ")) {
      const call = this.#underWay.get(thread);
      this.#underWay.delete(thread);
      return call === undefined ? [] : [{ thread, at: "end", call }];
    }
    const [, name = "", given = ""] = /^(\w+)\((.*)$/.exec(rest) ?? [];
    const call = this.#call(name, given);
    if (call === undefined) return [];
    const begin: Step = { thread, at: "begin", call };
    if (!given.endsWith("<unfinished ...>")) return [begin, { thread, at: "end", call }];
    this.#underWay.set(thread, call);
    return [begin];
  }

  #call(name: string, given: string): Call | undefined {
    if (name === "openat") return this.#opened(given);
    const [, descriptor = ""] = /^(\d+)/.exec(given) ?? [];
    if (name === "write" && descriptor === "1") return { name: "tell", happening: JSON.parse(bytesIn(given).toString()) as Happening };
    const file = this.#files.get(descriptor);
    if (file === undefined) return undefined;
    if (name === "fsync" || name === "fdatasync") return { name: "sync" };
    if (name === "lseek") file.position = Number(/^\d+, (\d+)/.exec(given)?.[1]);
    if (!name.includes("write")) return undefined;
    const bytes = bytesIn(given);
    const isPositioned = name.startsWith("p");
    const offset = isPositioned ? Number(/, (\d+)\)? (?:= |<unfinished)/.exec(given)?.[1]) : file.position;
    if (!isPositioned) file.position += bytes.length;
    return { name: "write", write: { offset, bytes, isSynchronous: file.isSynchronous } };
  }

  #opened(given: string): undefined {
    const [, flags = "", descriptor = ""] = /", ([A-Z_|]+).* = (\d+)$/.exec(given) ?? [];
    if (bytesIn(given).toString() === this.#path) {
      this.#files.set(descriptor, { isSynchronous: flags.includes("O_DSYNC") || flags.includes("O_SYNC"), position: 0 });
    } else this.#files.delete(descriptor);
  }
}

/** All quoted bytes of a call, one behind the other. */
function bytesIn(given: string): Buffer {
  const hex = Array.from(given.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g), ([, text = ""]) => text.replaceAll("\\x", ""));
  return Buffer.from(hex.join(""), "hex");
}
