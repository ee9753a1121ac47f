// What makes a patch inapplicable, and the JSON shapes that patches work on.

/**
 * `malformed`: no patch at all (HTTP 400). `inapplicable`: it does not fit this object (HTTP 422). The message is upstream's.
 */
export class PatchError extends Error {
  readonly code = "ERR_PATCH";
  readonly problem: "malformed" | "inapplicable";

  constructor(problem: "malformed" | "inapplicable", message: string) {
    super(message);
    this.problem = problem;
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets an own member, also one named `__proto__`. */
export function setMember(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
