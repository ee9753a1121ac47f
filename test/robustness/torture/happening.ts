// What the clients of a store told before it was killed, and what must be true of it after that.
import type { StoreEntry } from "../../../src/storage/index.ts";

export interface Happening {
  /** `stale`: a read that answered less than was known when it began. */
  readonly what: "begun" | "promised" | "seen" | "stale";
  readonly key: string;
  readonly revision: number;
  /** Null for a deletion; no two writes have the same. */
  readonly value: string | null;
}

export interface Aftermath {
  /** The store's revision when the process began, and when it is opened again. */
  readonly before: number;
  readonly revision: number;
  readonly entries: readonly StoreEntry[];
}

/** What is wrong with a store of which all revisions were watched: as `brokenPromises`, and events out of order. */
export function problemsOf(happenings: readonly Happening[], aftermath: Aftermath): string[] {
  const seen = happenings.filter(({ what }) => what === "seen");
  const expected = (index: number) => aftermath.before + 1 + index;
  const gaps = seen.flatMap(({ revision }, index) =>
    revision === expected(index) ? [] : [`the watcher saw ${revision} instead of ${expected(index)}`],
  );
  return [...gaps, ...brokenPromises(happenings, aftermath)];
}

/** What is wrong with what was promised: lost, undone, from nowhere, or out of order. */
export function brokenPromises(happenings: readonly Happening[], { before, revision, entries }: Aftermath): string[] {
  const of = (what: Happening["what"]) => happenings.filter((happening) => happening.what === what);
  const problems = of("stale").map(({ key, revision: at }) => `a read of ${key} went back to ${at}`);
  // What was told to anybody is there, with what came after it, if anything did.
  const newest = new Map<string, Happening>();
  for (const told of [...of("promised"), ...of("seen")].sort((a, b) => a.revision - b.revision)) newest.set(told.key, told);
  for (const { key, revision: at, value } of newest.values()) {
    if (at > revision) problems.push(`revision ${at} of ${key} was told, but the store is at ${revision}`);
    const entry = entries.find((candidate) => candidate.key === key);
    const isLost = entry === undefined ? revision === at || !mayBeDeleted(happenings, { key, value }) : entry.modRevision < at;
    if (isLost && value !== null) problems.push(`${key} at ${at} is lost`);
    if (entry !== undefined && entry.modRevision < at && value === null) problems.push(`${key}, deleted at ${at}, is back`);
  }
  return [...problems, ...backwards(happenings), ...strangers(happenings, { before, revision, entries })];
}

/** Whether somebody began to delete the key after this value was begun: a deletion may be done though nobody was told. */
function mayBeDeleted(happenings: readonly Happening[], { key, value }: Pick<Happening, "key" | "value">): boolean {
  const begun = happenings.filter((happening) => happening.what === "begun" && happening.key === key);
  const at = begun.findIndex((happening) => happening.value === value);
  return begun.slice(at + 1).some((happening) => happening.value === null);
}

/** Writes whose revision is not above all that had been promised when they were begun. */
function backwards(happenings: readonly Happening[]): string[] {
  const floors = new Map<string, number>();
  const problems: string[] = [];
  let newest = 0;
  for (const { what, key, revision, value } of happenings) {
    if (what === "begun" && value !== null) floors.set(value, newest);
    if (what !== "promised") continue;
    newest = Math.max(newest, revision);
    const floor = floors.get(value ?? "") ?? 0;
    if (revision <= floor) problems.push(`${key} was promised at ${revision} when ${floor} had been promised before`);
  }
  return problems;
}

/** Entries with a value that nobody wrote, or not under this revision. */
function strangers(happenings: readonly Happening[], { before, revision, entries }: Aftermath): string[] {
  return entries.flatMap(({ key, value, modRevision }) => {
    if (modRevision > revision) return [`${key} is at ${modRevision}, ahead of the store at ${revision}`];
    if (modRevision <= before) return [];
    const written = happenings.filter((happening) => happening.key === key && happening.value === Buffer.from(value).toString());
    if (written.length === 0) return [`nobody wrote ${key} as it is at ${modRevision}`];
    return written
      .filter(({ what, revision: at }) => what !== "begun" && at !== modRevision)
      .map(({ revision: at }) => `${key} was told at ${at}, but is at ${modRevision}`);
  });
}
