// The field sets of metadata.managedFields, each different one in memory once. Objects that are made alike have the same, and
// these small trees would be two thirds of what a pod takes: they are found by their text and not parsed again.
import { deepFreeze, type ManagedFieldsEntry } from "../../machinery/index.ts";
import type { Draft } from "../registry/draft.ts";

/** Beyond so much text all are forgotten, and shared anew by what comes; those in use stay with their users. */
const MAX_CHARACTERS = 4 * 2 ** 20;

const ENTRIES = ',"managedFields":[';
/** No string can contain it: a quotation mark in a string has a backslash before it. */
const SET = ',"fieldsV1":{';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = 0x7b;
const CLOSING = 0x7d;

interface FieldSet {
  readonly text: string;
  /** Deeply frozen. */
  readonly set: object;
}

export class SharedFieldSets {
  /** By their JSON text. */
  readonly #sets = new Map<string, FieldSet>();
  /** Of all their texts together. */
  #characters = 0;
  /** By a set itself, or another one with the same fields. */
  readonly #known = new WeakMap<object, FieldSet>();
  /** The first, second … set of the object before: most often the next object has the same. */
  readonly #recent: FieldSet[] = [];

  /** JSON.parse of an object's compact text, whose field sets are shared. */
  parse(text: string): Draft {
    const first = text.indexOf(ENTRIES);
    if (first < 0) return JSON.parse(text) as Draft;
    const sets: object[] = [];
    let bare = "";
    let end = 0;
    for (let at = text.indexOf(SET, first); at >= 0; at = text.indexOf(SET, end)) {
      const start = at + SET.length - 1;
      // In the place of each set stands its number for a moment.
      bare += `${text.slice(end, start)}${sets.length}`;
      const found = this.#setAt(text, start, sets.length);
      end = start + found.text.length;
      sets.push(found.set);
    }
    const object = JSON.parse(bare + text.slice(end)) as Draft;
    const entries = object.metadata.managedFields ?? [];
    const isNumbered = ({ fieldsV1 }: ManagedFieldsEntry) => typeof fieldsV1 === "number";
    // Something else in the object may be called so.
    if (entries.filter(isNumbered).length !== sets.length) return JSON.parse(text) as Draft;
    for (const entry of entries) if (isNumbered(entry)) entry.fieldsV1 = sets[entry.fieldsV1 as number];
    return object;
  }

  /** The entries with shared field sets: for an object that was not parsed here. */
  share(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] {
    return entries.map((entry) => {
      const { fieldsV1 } = entry;
      if (typeof fieldsV1 !== "object" || fieldsV1 === null) return entry;
      const { set } = this.#sharedOf(fieldsV1);
      return set === fieldsV1 ? entry : { ...entry, fieldsV1: set };
    });
  }

  /** The JSON of a set. */
  textOf(set: object): string {
    return this.#sharedOf(set).text;
  }

  #sharedOf(set: object): FieldSet {
    let shared = this.#known.get(set);
    if (shared !== undefined) return shared;
    const text = JSON.stringify(set);
    shared = this.#sets.get(text) ?? this.#keep(text, set);
    this.#known.set(set, shared);
    return shared;
  }

  /** The set that begins at `start`, the `index`th of its object. */
  #setAt(text: string, start: number, index: number): FieldSet {
    const recent = this.#recent[index];
    if (recent !== undefined && text.startsWith(recent.text, start)) return recent;
    const own = text.slice(start, endOfObject(text, start));
    const found = this.#sets.get(own) ?? this.#keep(own, JSON.parse(own) as object);
    this.#recent[index] = found;
    return found;
  }

  #keep(text: string, set: object): FieldSet {
    if (this.#characters > MAX_CHARACTERS) {
      this.#sets.clear();
      this.#characters = 0;
    }
    this.#characters += text.length;
    // A text that was cut out of another one would hold on to that.
    const kept = { text: Buffer.from(text).toString(), set: deepFreeze(set) };
    this.#sets.set(kept.text, kept);
    this.#known.set(set, kept);
    return kept;
  }
}

/** Behind the closing bracket of the object that begins at `start`. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPENING) depth++;
    else if (code === CLOSING && --depth === 0) return at + 1;
  }
  return text.length;
}

/** The closing quotation mark of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE || at >= text.length) return at;
  }
}
