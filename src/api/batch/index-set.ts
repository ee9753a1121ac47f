// Completion indexes as intervals, in the form of status.completedIndexes: `1,3-5,7`.

interface Interval {
  readonly first: number;
  readonly last: number;
}

export class IndexSet {
  /** In order, with a gap between any two. */
  readonly #intervals: readonly Interval[];

  private constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals;
  }

  static readonly empty = new IndexSet([]);

  static of(indexes: Iterable<number>): IndexSet {
    return new IndexSet(merged([...indexes].map((index) => ({ first: index, last: index }))));
  }

  /** Indexes from `completions` on are left out, and so are intervals that cannot be read. */
  static parse(text: string | undefined, completions: number): IndexSet {
    const intervals = (text ?? "").split(",").flatMap((part) => {
      const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(part);
      if (match === null) return [];
      const first = Number(match[1]);
      const last = Math.min(Number(match[2] ?? match[1]), completions - 1);
      return first > last ? [] : [{ first, last }];
    });
    return new IndexSet(merged(intervals));
  }

  get size(): number {
    return this.#intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  has(index: number): boolean {
    return this.#intervals.some(({ first, last }) => first <= index && index <= last);
  }

  union(other: IndexSet): IndexSet {
    return new IndexSet(merged([...this.#intervals, ...other.#intervals]));
  }

  intersectionSize(other: IndexSet): number {
    let size = 0;
    for (const a of this.#intervals)
      for (const b of other.#intervals) size += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
    return size;
  }

  /** The first `count` indexes below `completions` that are not in the set. */
  firstMissing(count: number, completions: number): number[] {
    const missing: number[] = [];
    let index = 0;
    for (const { first, last } of [...this.#intervals, { first: completions, last: completions }]) {
      for (; index < Math.min(first, completions) && missing.length < count; index++) missing.push(index);
      index = Math.max(index, last + 1);
    }
    return missing;
  }

  toString(): string {
    return this.#intervals
      .map(({ first, last }) => (first === last ? `${first}` : `${first}${last === first + 1 ? "," : "-"}${last}`))
      .join(",");
  }
}

function merged(intervals: readonly Interval[]): readonly Interval[] {
  const result: { first: number; last: number }[] = [];
  for (const { first, last } of [...intervals].sort((a, b) => a.first - b.first)) {
    const previous = result.at(-1);
    if (previous !== undefined && first <= previous.last + 1) previous.last = Math.max(previous.last, last);
    else result.push({ first, last });
  }
  return result;
}
