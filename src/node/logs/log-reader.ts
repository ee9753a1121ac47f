// Reads a container's log file: the end of it, what comes after, and on across rotations.
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../../base/index.ts";
import type { FileWatcher } from "./file-watcher.ts";
import { type LogSelection, LogSelector } from "./log-line.ts";

export interface LogReadOptions extends LogSelection {
  /** Only so many last lines. */
  readonly tailLines?: number | undefined;
  /** Goes on while the container runs. */
  readonly follow?: { readonly isRunning: () => Promise<boolean>; readonly watcher: FileWatcher; readonly clock: Clock };
  readonly signal?: AbortSignal | undefined;
}

/** A link in the place of a log is not followed: it may lead to a file of the host. */
const PLAIN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW;
const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;
/** How often a reader that follows looks whether the container still runs. */
const CHECK_PERIOD_MS = 1_000;

/** Chunks of the selected log, in order. Throws when the file is missing; ends quietly when the signal aborts. */
export async function* readLog(path: string, options: LogReadOptions): AsyncIterable<Buffer> {
  const selector = new LogSelector(options);
  let file = await open(path, PLAIN_FILE);
  try {
    let lines = new LineReader(file, await tailOffset(file, options.tailLines));
    const waiter = options.follow === undefined ? undefined : new ChangeWaiter(path, options.follow);
    try {
      let isLast = waiter === undefined;
      for (;;) {
        yield* selected(lines, selector, options.signal);
        if (isLast || waiter === undefined || selector.isFull || options.signal?.aborted === true) return;
        const next = await successor(file, path);
        if (next !== undefined) {
          // What was written to the old file between our last read and the rotation.
          yield* selected(lines, selector, options.signal);
          await file.close();
          file = next;
          lines = new LineReader(file, 0);
          continue;
        }
        // Once it has ended, whatever it wrote is there: one more look.
        isLast = (await waiter.wait(options.signal)) === "overdue" && !(await options.follow?.isRunning());
      }
    } finally {
      waiter?.stop();
    }
  } finally {
    await file.close();
  }
}

async function* selected(lines: LineReader, selector: LogSelector, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  for (;;) {
    const block = await lines.next();
    if (block === undefined || signal?.aborted === true) return;
    const shown = block.map((line) => selector.select(line)).filter((bytes) => bytes !== undefined);
    if (shown.length > 0) yield Buffer.concat(shown);
    if (selector.isFull) return;
  }
}

/** The file that has taken the place of `file` at `path`. */
async function successor(file: FileHandle, path: string): Promise<FileHandle | undefined> {
  const [mine, present] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  if (present === undefined || present.ino === mine.ino) return undefined;
  return await open(path, PLAIN_FILE).catch(() => undefined);
}

/** Whole lines of a growing file. */
class LineReader {
  readonly #file: FileHandle;
  #position: number;
  #rest = Buffer.alloc(0);

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** The next lines without their line feeds, undefined at the end of what is there now. */
  async next(): Promise<readonly Buffer[] | undefined> {
    const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(BLOCK_BYTES), 0, BLOCK_BYTES, this.#position);
    if (bytesRead === 0) return undefined;
    this.#position += bytesRead;
    const read = buffer.subarray(0, bytesRead);
    const block = this.#rest.length === 0 ? read : Buffer.concat([this.#rest, read]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = block.indexOf(LINE_FEED); end >= 0; end = block.indexOf(LINE_FEED, start)) {
      lines.push(block.subarray(start, end));
      start = end + 1;
    }
    this.#rest = Buffer.from(block.subarray(start));
    return lines;
  }
}

/** Where the last `lines` lines of the file begin. */
async function tailOffset(file: FileHandle, lines: number | undefined): Promise<number> {
  if (lines === undefined || lines < 0) return 0;
  const { size } = await file.stat();
  let end = size;
  // The line feed that ends the last line counts too.
  let wanted = lines + 1;
  while (end > 0) {
    const length = Math.min(BLOCK_BYTES, end);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, end - length);
    for (let at = buffer.lastIndexOf(LINE_FEED); at >= 0; at = at === 0 ? -1 : buffer.lastIndexOf(LINE_FEED, at - 1)) {
      wanted--;
      if (wanted === 0) return end - length + at + 1;
    }
    end -= length;
  }
  return 0;
}

/** Waits for changes beside a file; a change between two waits is not lost. */
class ChangeWaiter {
  readonly #clock: Clock;
  readonly #stop: () => void;
  #hasChanged = false;
  #wake: (() => void) | undefined;

  constructor(path: string, { watcher, clock }: { readonly watcher: FileWatcher; readonly clock: Clock }) {
    this.#clock = clock;
    this.#stop = watcher.watch(dirname(path), () => {
      this.#hasChanged = true;
      this.#wake?.();
    });
  }

  /** `overdue` when nothing changed for a while or the signal aborted. */
  async wait(signal: AbortSignal | undefined): Promise<"changed" | "overdue"> {
    if (!this.#hasChanged && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.setTimeout(resolve, CHECK_PERIOD_MS);
        signal?.addEventListener("abort", () => resolve(), { once: true });
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    const answer = this.#hasChanged ? "changed" : "overdue";
    this.#hasChanged = false;
    this.#wake = undefined;
    return answer;
  }

  stop(): void {
    this.#stop();
  }
}
