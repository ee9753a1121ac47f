// The list of what has been changed on the host. A change is on disk here before it is made, so that it can be taken back
// after a crash at any moment. One JSON object a line; a line that was cut off by a crash is its last and was not yet acted on.
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makePrivateDirectory, PRIVATE_FILE, readIfExists, writePrivate } from "../system/files.ts";
import type { Change, Undo } from "./change.ts";

/** Changes that could not be taken back; they stay in the ledger, so that the next attempt finds them. */
export class LedgerError extends AggregateError {
  readonly code = "LEDGER_NOT_EMPTY";

  constructor(errors: readonly unknown[]) {
    const first = errors[0] instanceof Error ? errors[0].message : String(errors[0]);
    super(errors, `${errors.length} change(s) to the host could not be taken back: ${first}`);
    this.name = "LedgerError";
  }
}

export class Ledger {
  readonly #file: string;
  /** In the order of their making, without repetition, keyed by their JSON. */
  readonly #changes: Map<string, Change>;

  constructor(file: string) {
    this.#file = file;
    this.#changes = new Map(readLines(file).map((change) => [JSON.stringify(change), change]));
  }

  get changes(): readonly Change[] {
    return [...this.#changes.values()];
  }

  /** Call this before making the change. The same change twice is one. */
  record(change: Change): void {
    const line = JSON.stringify(change);
    if (this.#changes.has(line)) return;
    makePrivateDirectory(dirname(this.#file));
    const isNew = this.#changes.size === 0;
    const file = openSync(this.#file, isNew ? "w" : "a", PRIVATE_FILE);
    try {
      writeSync(file, `${line}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#changes.set(line, change);
  }

  /**
   * Takes all changes back, the last first, but those that `keep` wants to stay. One that fails does not stop the others.
   * @throws LedgerError
   */
  async undoAll(undo: Undo, keep: (change: Change) => boolean = () => false): Promise<void> {
    const errors: unknown[] = [];
    for (const [line, change] of [...this.#changes].reverse()) {
      if (keep(change)) continue;
      try {
        await undo(change);
        this.#changes.delete(line);
      } catch (error) {
        errors.push(error);
      }
    }
    this.#rewrite();
    if (errors.length > 0) throw new LedgerError(errors);
  }

  #rewrite(): void {
    if (this.#changes.size === 0) rmSync(this.#file, { force: true });
    else writePrivate(this.#file, [...this.#changes.keys()].map((line) => `${line}\n`).join(""));
  }
}

function readLines(file: string): Change[] {
  const text = readIfExists(file)?.toString() ?? "";
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Change);
}
