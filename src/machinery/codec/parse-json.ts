// JSON text to values, with the members that stand twice if somebody wants to know.

export class DecodeError extends Error {
  readonly code = "ERR_DECODE";
}

export interface ParsedJson {
  readonly value: unknown;
  /** `duplicate field "spec.replicas"`, each once. */
  readonly duplicates: string[];
}

/** Upstream reports no more than this. */
export const maxStrictErrors = 100;

/** Throws DecodeError. Without `detectDuplicates` the last of equal members counts and nobody hears of it. */
export function parseJson(text: string, { detectDuplicates = false }: { detectDuplicates?: boolean } = {}): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DecodeError(`couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return { value, duplicates: detectDuplicates ? duplicateMembers(text) : [] };
}

/** The members that stand twice in a text that is known to be valid JSON: `duplicate field "spec.replicas"`, each once. */
export function duplicateMembers(text: string): string[] {
  return new DuplicateScanner(text).scan();
}

const quote = 34;
const backslash = 92;
const comma = 44;
const openBracket = 91;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/** An open object (with the keys seen) or list (with the index reached). */
interface Level {
  readonly keys: Set<string> | undefined;
  index: number;
  /** The key whose value is being read. */
  key: string;
}

/** Walks the tokens of a text that is known to be valid JSON. */
class DuplicateScanner {
  readonly #text: string;
  readonly #levels: Level[] = [];
  readonly #duplicates = new Set<string>();
  /** Whether the next string is a key. */
  #isKeyDue = false;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): string[] {
    const text = this.#text;
    for (let position = 0; position < text.length; position++) {
      switch (text.charCodeAt(position)) {
        case quote:
          position = this.#string(position);
          break;
        case openBrace:
          this.#levels.push({ keys: new Set(), index: 0, key: "" });
          this.#isKeyDue = true;
          break;
        case openBracket:
          this.#levels.push({ keys: undefined, index: 0, key: "" });
          this.#isKeyDue = false;
          break;
        case closeBrace:
        case closeBracket:
          this.#levels.pop();
          this.#isKeyDue = false;
          break;
        case comma:
          this.#comma();
          break;
      }
    }
    return [...this.#duplicates];
  }

  #comma(): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    level.index++;
    this.#isKeyDue = level.keys !== undefined;
  }

  /** Reads the string that starts at `start`; answers where it ends. */
  #string(start: number): number {
    let end = this.#text.indexOf('"', start + 1);
    while (this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    const level = this.#levels.at(-1);
    if (this.#isKeyDue && level?.keys !== undefined) {
      this.#isKeyDue = false;
      const raw = this.#text.slice(start + 1, end);
      level.key = raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
      if (level.keys.has(level.key) && this.#duplicates.size < maxStrictErrors) {
        this.#duplicates.add(`duplicate field "${this.#path()}"`);
      }
      level.keys.add(level.key);
    }
    return end;
  }

  #isEscaped(position: number): boolean {
    let backslashes = 0;
    while (this.#text.charCodeAt(position - 1 - backslashes) === backslash) backslashes++;
    return backslashes % 2 === 1;
  }

  #path(): string {
    let path = "";
    for (const { keys, key, index } of this.#levels) path += keys === undefined ? `[${index}]` : path === "" ? key : `.${key}`;
    return path;
  }
}
