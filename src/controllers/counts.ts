// Counts of a status as they are stored.

/** `counts` without those that are zero, which upstream's encoding leaves out; so what is written can be compared with what stands. */
export function withoutZeros<T extends Readonly<Record<string, number | undefined>>>(counts: T): Partial<T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0 && count !== undefined)) as Partial<T>;
}
