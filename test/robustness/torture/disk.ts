// What may be left of a file when the power goes: what was synced, and of the rest some, in any order.
import { type Random, randomInt } from "../../../src/base/index.ts";
import type { FileWrite, Step } from "./recording.ts";

/** What a disk writes as a whole. */
const SECTOR_BYTES = 512;

/** Which of the writes that nobody waited for are on the disk. */
export type Luck = "none" | "all" | "whole writes" | "sectors";
const LUCKS: readonly Luck[] = ["none", "all", "whole writes", "sectors"];

export function randomLuck(random: Random): Luck {
  return LUCKS[randomInt(random, LUCKS.length)] ?? "none";
}

/** The file after these steps and a power failure. */
export function leftAfter(steps: readonly Step[], luck: Luck, random: Random): Buffer {
  const disk = new Disk();
  for (const step of steps) disk.take(step);
  return disk.left(luck, random);
}

class Disk {
  #file = Buffer.alloc(0);
  /** Writes that are in memory only, in their order, and whether they have returned. */
  readonly #unsynced = new Map<FileWrite, boolean>();
  /** What a sync under way will have brought to the disk, by thread. */
  readonly #covered = new Map<string, readonly FileWrite[]>();

  take({ thread, at, call }: Step): void {
    if (call.name === "write") {
      this.#unsynced.set(call.write, at === "end");
      if (at === "end" && call.write.isSynchronous) this.#sync([call.write]);
    } else if (call.name === "sync") {
      if (at === "end") this.#sync(this.#covered.get(thread) ?? []);
      else
        this.#covered.set(
          thread,
          [...this.#unsynced].filter(([, hasReturned]) => hasReturned).map(([write]) => write),
        );
    }
  }

  left(luck: Luck, random: Random): Buffer {
    for (const write of this.#unsynced.keys()) {
      for (const piece of luck === "sectors" ? sectorsOf(write) : [write]) {
        if (luck === "all" || (luck !== "none" && random.next() < 0.5)) this.#put(piece);
      }
    }
    return this.#file;
  }

  #sync(writes: readonly FileWrite[]): void {
    for (const write of writes) if (this.#unsynced.delete(write)) this.#put(write);
  }

  #put({ offset, bytes }: Pick<FileWrite, "offset" | "bytes">): void {
    const end = offset + bytes.length;
    if (end > this.#file.length) this.#file = Buffer.concat([this.#file, Buffer.alloc(end - this.#file.length)]);
    bytes.copy(this.#file, offset);
  }
}

function sectorsOf({ offset, bytes }: FileWrite): Pick<FileWrite, "offset" | "bytes">[] {
  const count = Math.ceil(bytes.length / SECTOR_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const start = index * SECTOR_BYTES;
    return { offset: offset + start, bytes: bytes.subarray(start, start + SECTOR_BYTES) };
  });
}
