// What an operator was told about numbered objects, and whether it could have been so: every change once, in order, none left out.

export type Notice = "add" | "update" | "delete";

/** An object as it was told: its name's changes are numbered 1, 2, 3 …, also when it is deleted and created again. */
export interface Told {
  readonly name: string;
  readonly uid: string;
  readonly number: number;
}

interface Seen {
  /** Undefined: there is no such object now. */
  uid: string | undefined;
  number: number;
  /** The list after which this was told; changes may be left out only when a list came between. */
  list: number;
}

/** Collects what is wrong with the notices of one informer. */
export class Witness {
  readonly violations: string[] = [];
  readonly counts: Record<Notice, number> = { add: 0, update: 0, delete: 0 };
  readonly #seen = new Map<string, Seen>();
  #lists = 0;

  get lists(): number {
    return this.#lists;
  }

  /** The informer asks for all objects anew: what happened meanwhile comes as one change. */
  listed(): void {
    this.#lists++;
  }

  notice(notice: Notice, { name, uid, number }: Told): void {
    this.counts[notice]++;
    const seen = this.#seen.get(name) ?? { uid: undefined, number: 0, list: 0 };
    const problem = this.#problem(notice, { name, uid, number }, seen);
    if (problem !== undefined) this.violations.push(`${notice} of ${name}, number ${number}: ${problem}`);
    this.#seen.set(name, { uid: notice === "delete" ? undefined : uid, number, list: this.#lists });
  }

  #problem(notice: Notice, { uid, number }: Told, seen: Seen): string | undefined {
    if (notice === "add" && seen.uid !== undefined) return "it was there already";
    if (notice !== "add" && seen.uid === undefined) return "it was not there";
    if (notice === "delete") return number === seen.number ? undefined : `the last one told was ${seen.number}`;
    if (number <= seen.number) return `${seen.number} was told before`;
    if (seen.list !== this.#lists) return undefined;
    if (number > seen.number + 1) return `nothing was told between it and ${seen.number}`;
    return notice === "update" && uid !== seen.uid ? "it is another object, and the deletion was not told" : undefined;
  }
}
