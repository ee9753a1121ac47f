// What a watcher was told of config maps, and whether it can have been so: nothing left out, doubled, out of order or half written.
import { isDeepStrictEqual } from "node:util";
import type { Happening } from "./happening.ts";
import type { NumberedMap } from "./numbered-map.ts";

export type Change = "ADDED" | "MODIFIED" | "DELETED";

export class WatchedMaps {
  readonly problems: string[] = [];
  /** As they are now, by name. */
  #maps = new Map<string, NumberedMap>();
  /** All that was told by changes, by revision. */
  readonly #told = new Map<number, NumberedMap>();
  /** The stretches of revisions of which every change was told: behind a list, up to the last change before the next list. */
  readonly #stretches: { readonly from: number; to: number }[] = [];

  /** The newest revision that was told. */
  get revision(): number {
    return this.#stretches.at(-1)?.to ?? 0;
  }

  listed(revision: number, maps: readonly NumberedMap[]): void {
    if (revision < this.revision) this.problems.push(`a list went back from ${this.revision} to ${revision}`);
    for (const map of maps) this.#checkWhole(map);
    this.#maps = new Map(maps.map((map) => [map.name, map]));
    this.#stretches.push({ from: revision, to: revision });
  }

  changed(change: Change, map: NumberedMap): void {
    const { name, revision } = map;
    const stretch = this.#stretches.at(-1);
    if (revision <= this.revision) this.problems.push(`${name} at ${revision} was told after ${this.revision}`);
    if (this.#maps.has(name) === (change === "ADDED")) this.problems.push(`${name} cannot have been ${change} at ${revision}`);
    this.#checkWhole(map);
    this.#told.set(revision, map);
    if (stretch !== undefined) stretch.to = revision;
    if (change === "DELETED") this.#maps.delete(name);
    else this.#maps.set(name, map);
  }

  agreesWith(maps: readonly NumberedMap[]): boolean {
    return isDeepStrictEqual(this.#maps, new Map(maps.map((map) => [map.name, map])));
  }

  /** Writes that were promised, but of which the watcher was not told, or something else. */
  leftOut(happenings: readonly Happening[]): string[] {
    return happenings.flatMap(({ what, key, revision, value }) => {
      const isCovered = this.#stretches.some(({ from, to }) => from < revision && revision <= to);
      if (what !== "promised" || value === null || !isCovered) return [];
      const told = this.#told.get(revision);
      return told?.name === key && told.value === value ? [] : [`the watcher was not told of ${key} at ${revision}`];
    });
  }

  #checkWhole({ name, revision, value }: NumberedMap): void {
    if (value === undefined) this.problems.push(`${name} at ${revision} is half written`);
  }
}
