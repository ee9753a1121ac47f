// A file of lines that is put aside when it has grown large: the audit log.
import { closeSync, fstatSync, openSync, readdirSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import type { Clock } from "../../base/index.ts";
import { makePrivateDirectory, PRIVATE_FILE } from "./files.ts";

export interface RotatingFileOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** How many files that were put aside are kept. */
  readonly maxBackups: number;
  readonly clock: Pick<Clock, "now">;
}

export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #descriptor: number;
  #size: number;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
    makePrivateDirectory(dirname(options.path));
    this.#descriptor = openSync(options.path, "a", PRIVATE_FILE);
    this.#size = fstatSync(this.#descriptor).size;
  }

  /** Appends `line` and a line break. A line is in one file as a whole. */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    if (this.#size > 0 && this.#size + bytes.byteLength > this.#options.maxBytes) this.#rotate();
    writeSync(this.#descriptor, bytes);
    this.#size += bytes.byteLength;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    const { path, clock } = this.#options;
    closeSync(this.#descriptor);
    renameSync(path, this.#backup(new Date(clock.now()).toISOString().replaceAll(":", "-")));
    this.#descriptor = openSync(path, "a", PRIVATE_FILE);
    this.#size = 0;
    this.#removeOld();
  }

  /** `audit.log` → `audit-<time>.log`. */
  #backup(time: string): string {
    const { path } = this.#options;
    const suffix = extname(path);
    return join(dirname(path), `${basename(path, suffix)}-${time}${suffix}`);
  }

  #removeOld(): void {
    const { path, maxBackups } = this.#options;
    const prefix = `${basename(path, extname(path))}-`;
    const backups = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix) && name.endsWith(extname(path)));
    for (const name of backups.sort().slice(0, -maxBackups)) rmSync(join(dirname(path), name), { force: true });
  }
}
