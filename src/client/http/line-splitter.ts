// Cuts a stream of bytes into lines. Each byte is copied at most once, however the lines lie over the chunks.

const NEWLINE = 0x0a;

export class LineSplitter {
  /** The beginning of a line whose end has not come. */
  #pending: Buffer[] = [];

  /** The lines that `chunk` completes, without their newlines. */
  push(chunk: Buffer): readonly string[] {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) {
      this.#pending.push(chunk);
      return [];
    }
    const head = chunk.subarray(0, end);
    const whole = this.#pending.length === 0 ? head : Buffer.concat([...this.#pending, head]);
    this.#pending = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    return whole
      .toString()
      .split("\n")
      .filter((line) => line !== "");
  }
}
