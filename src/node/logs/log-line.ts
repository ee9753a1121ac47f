// Lines of a container's log file as the CRI has them: `<RFC 3339 time> <stream> <tags> <text>`.

export interface LogLine {
  readonly timestamp: string;
  readonly stream: "stdout" | "stderr";
  /** Whether the text goes on in the next line. */
  readonly isPartial: boolean;
  /** With its line feed, unless it is partial. */
  readonly content: Buffer;
}

const SPACE = 0x20;
const LINE_FEED = 0x0a;

/** Undefined when the line is no log line; `line` is without its line feed. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const timeEnd = line.indexOf(SPACE);
  const streamEnd = line.indexOf(SPACE, timeEnd + 1);
  if (timeEnd < 0 || streamEnd < 0) return undefined;
  const stream = line.toString("latin1", timeEnd + 1, streamEnd);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const tagsEnd = line.indexOf(SPACE, streamEnd + 1);
  const tags = line.toString("latin1", streamEnd + 1, tagsEnd < 0 ? line.length : tagsEnd);
  const isPartial = tags.split(":")[0] === "P";
  const text = tagsEnd < 0 ? line.subarray(line.length) : line.subarray(tagsEnd + 1);
  const content = isPartial ? text : Buffer.concat([text, Buffer.of(LINE_FEED)]);
  return { timestamp: line.toString("latin1", 0, timeEnd), stream, isPartial, content };
}

export interface LogSelection {
  /** Adds the time before each line. */
  readonly timestamps?: boolean;
  /** Only what was written at this time or later. */
  readonly sinceMs?: number;
  readonly limitBytes?: number;
  readonly stream?: "stdout" | "stderr";
}

/** Turns log lines into what a reader asked for; one for each reading, because lines may be partial. */
export class LogSelector {
  readonly #selection: LogSelection;
  #isLineStart = true;
  #isSince: boolean;
  #bytesLeft: number;

  constructor(selection: LogSelection) {
    this.#selection = selection;
    this.#isSince = selection.sinceMs === undefined;
    this.#bytesLeft = selection.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the limit of bytes is reached. */
  get isFull(): boolean {
    return this.#bytesLeft <= 0;
  }

  /** The bytes to show for a line; undefined when none. */
  select(raw: Buffer): Buffer | undefined {
    const line = parseLogLine(raw);
    if (line === undefined || this.isFull) return undefined;
    const { stream, sinceMs = 0, timestamps = false } = this.#selection;
    if (stream !== undefined && stream !== line.stream) return undefined;
    // Lines are in order of time: after the first that is late enough all are.
    this.#isSince ||= Date.parse(line.timestamp) >= sinceMs;
    if (!this.#isSince) return undefined;
    const hasPrefix = timestamps && this.#isLineStart;
    this.#isLineStart = !line.isPartial;
    const bytes = hasPrefix ? Buffer.concat([Buffer.from(`${line.timestamp} `), line.content]) : line.content;
    const shown = bytes.length > this.#bytesLeft ? bytes.subarray(0, this.#bytesLeft) : bytes;
    this.#bytesLeft -= shown.length;
    return shown;
  }
}
