// What policies want to stand in a request's audit event: `<policy>/<key>`, the values of several bindings behind each other.
import type { AdmissionRequest } from "../admission.ts";

const MAX_VALUE_LENGTH = 10 * 1024;

export class AuditNotes {
  /** By annotation key; every value once. */
  readonly #values = new Map<string, Set<string>>();

  add(policy: string, annotations: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(annotations)) {
      const name = `${policy}/${key}`;
      const values = this.#values.get(name) ?? new Set<string>();
      this.#values.set(name, values.add(value.slice(0, MAX_VALUE_LENGTH)));
    }
  }

  publish({ scope }: AdmissionRequest): void {
    for (const [name, values] of this.#values) scope.annotate?.(name, [...values].join(", "));
  }
}
