// Keeps container logs small: a file that has grown past its limit is moved aside, compressed later, deleted at last.
import { constants, createWriteStream } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock, Logger } from "../../base/index.ts";
import type { Runtime } from "../runtime/runtime.ts";

export interface LogRotatorOptions {
  readonly runtime: Pick<Runtime, "listPods" | "reopenLog">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default 10 Mi, kubelet's containerLogMaxSize. */
  readonly maxBytes?: number;
  /** Files a container keeps, the present one included. Default 5, kubelet's containerLogMaxFiles. */
  readonly maxFiles?: number;
}

const PERIOD_MS = 10_000;
const DEFAULT_MAX_BYTES = 10 * 1024 * 1024;
const DEFAULT_MAX_FILES = 5;
const COMPRESSED = ".gz";
const UNFINISHED = ".tmp";

export class LogRotator {
  readonly #options: Required<LogRotatorOptions>;

  constructor(options: LogRotatorOptions) {
    this.#options = { maxBytes: DEFAULT_MAX_BYTES, maxFiles: DEFAULT_MAX_FILES, ...options };
  }

  /** Rotates every ten seconds until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.rotateAll(signal).catch((error: unknown) => logger.warn("cannot rotate container logs", { error: String(error) }));
    }
  }

  /** One look at the logs of all running containers. */
  async rotateAll(signal?: AbortSignal): Promise<void> {
    for (const { containers } of await this.#options.runtime.listPods(undefined, signal)) {
      for (const { id, state, logPath } of containers) {
        if (state !== "RUNNING" || logPath === "") continue;
        const size = (await stat(logPath).catch(() => undefined))?.size ?? 0;
        if (size > this.#options.maxBytes) await this.#rotate(id, logPath);
      }
    }
  }

  async #rotate(id: string, path: string): Promise<void> {
    const { clock, logger, runtime, maxFiles } = this.#options;
    // 1. Room for the file that is about to be moved: the present one and this one count too.
    const old = await rotatedFiles(path);
    for (const file of old.slice(0, Math.max(0, old.length - (maxFiles - 2)))) await rm(file, { force: true });
    // 2. Compress what was moved before; nobody writes to it any more.
    for (const file of await rotatedFiles(path)) if (!file.endsWith(COMPRESSED)) await compress(file);
    // 3. Move the file and have the runtime write to a new one; without that, put it back.
    const moved = `${path}.${rotationTime(clock.now())}`;
    await rename(path, moved);
    try {
      await runtime.reopenLog(id);
    } catch (error) {
      await rename(moved, path);
      logger.warn("cannot reopen a container's log", { containerId: id, error: String(error) });
    }
  }
}

/** Files moved away from `path`, oldest first. */
async function rotatedFiles(path: string): Promise<readonly string[]> {
  const prefix = `${basename(path)}.`;
  // A link among them was put there by someone who wants another file read or written.
  const files = (await readdir(dirname(path), { withFileTypes: true })).filter((entry) => entry.isFile());
  const names = files.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  const unfinished = names.filter((name) => name.endsWith(UNFINISHED));
  for (const name of unfinished) await rm(join(dirname(path), name), { force: true });
  return names
    .filter((name) => !name.endsWith(UNFINISHED))
    .sort()
    .map((name) => join(dirname(path), name));
}

async function compress(file: string): Promise<void> {
  const unfinished = `${file}${UNFINISHED}`;
  const source = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  await pipeline(source.createReadStream(), createGzip(), createWriteStream(unfinished, { flags: "wx" }));
  await rename(unfinished, `${file}${COMPRESSED}`);
  await rm(file);
}

/** `20260102-030405`, as kubelet names these files. */
function rotationTime(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
}
