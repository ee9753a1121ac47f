// What a failed write is called in events and conditions.

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
