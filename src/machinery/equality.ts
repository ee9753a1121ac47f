// Semantic equality of API values.

/** Structural equality of JSON values; a member that is undefined counts as absent. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a, b);
  return !Array.isArray(b) && membersEqual(a as Record<string, unknown>, b as Record<string, unknown>);
}

function listsEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (!deepEqual(a[index], b[index])) return false;
  return true;
}

function membersEqual(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  for (const key in a) if (!deepEqual(a[key], b[key])) return false;
  // What is left to differ: members that only b has.
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}
