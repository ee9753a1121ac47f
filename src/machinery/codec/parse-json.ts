// JSON text to values, with the members that stand twice if somebody wants to know.

export class DecodeError extends Error {
  readonly code = "ERR_DECODE";
}

export interface ParsedJson {
  readonly value: unknown;
  /** `duplicate field "spec.replicas"`, each once; empty when nobody wants to know. */
  readonly duplicates: readonly string[];
}

export interface JsonParsing {
  /** Without it the last of equal members counts and nobody hears of it. */
  readonly detectsDuplicates?: boolean;
  /** Deeper texts are refused. */
  readonly maxDepth?: number;
}

/** Upstream reports no more than this. */
export const maxStrictErrors = 100;

/** Throws DecodeError. */
export function parseJson(text: string, { detectsDuplicates = false, maxDepth = Number.POSITIVE_INFINITY }: JsonParsing = {}): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DecodeError(`couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const { members, depth } = extentOf(text);
  if (depth > maxDepth) throw new DecodeError("exceeded max depth");
  // Of equal members the value keeps one: only then it has fewer than the text.
  const hasDuplicates = detectsDuplicates && countMembers(value) < members;
  return { value, duplicates: hasDuplicates ? new DuplicateScanner(text).scan() : [] };
}

const quote = 34;
const backslash = 92;
const comma = 44;
const colon = 58;
const openBracket = 91;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/** How many members all objects of a valid JSON text have, and how deep it is nested. */
function extentOf(text: string): { readonly members: number; readonly depth: number } {
  let members = 0;
  let level = 0;
  let depth = 0;
  for (let position = 0; position < text.length; position++) {
    switch (text.charCodeAt(position)) {
      case quote:
        position = endOfString(text, position);
        break;
      case colon:
        members++;
        break;
      case openBrace:
      case openBracket:
        level++;
        if (level > depth) depth = level;
        break;
      case closeBrace:
      case closeBracket:
        level--;
    }
  }
  return { members, depth };
}

/** Where the string that starts at `start` ends. */
function endOfString(text: string, start: number): number {
  for (let position = start + 1; ; position++) {
    const code = text.charCodeAt(position);
    if (code === quote) return position;
    if (code === backslash) position++;
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const element of value) count += countMembers(element);
  else for (const key in value) count += 1 + countMembers((value as Record<string, unknown>)[key]);
  return count;
}

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
    const end = endOfString(this.#text, start);
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

  #path(): string {
    let path = "";
    for (const { keys, key, index } of this.#levels) path += keys === undefined ? `[${index}]` : path === "" ? key : `.${key}`;
    return path;
  }
}
