// Booleans in the query of a URL.

/** Whether a query parameter says yes: it does unless it is absent, "0" or "false", however written. */
export function isTrue(value: string | null | undefined): boolean {
  return value !== undefined && value !== null && value !== "0" && value.toLowerCase() !== "false";
}
