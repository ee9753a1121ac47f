// Values that this process writes, until etcd tells of them: whoever watches gets the writer's own bytes, which need no parsing.
import type { StoreEntry } from "../store.ts";

/** One write under way. */
export interface OwnWrite {
  /** It was made at this revision; what has been told already is not waited for. */
  at(revision: number, seenRevision: number): void;
  /** It is answered, or has failed. */
  end(): void;
}

export class OwnValues {
  /** Not answered yet, by key. */
  readonly #underWay = new Map<string, Set<Uint8Array>>();
  /** Answered, by the revision of the event that is to come. */
  readonly #answered = new Map<number, Uint8Array>();

  begin(key: string, value: Uint8Array): OwnWrite {
    const values = this.#underWay.get(key) ?? new Set();
    this.#underWay.set(key, values.add(value));
    return {
      at: (revision, seenRevision) => {
        if (revision > seenRevision) this.#answered.set(revision, value);
      },
      end: () => {
        values.delete(value);
        if (values.size === 0) this.#underWay.delete(key);
      },
    };
  }

  /** The writer's bytes of an entry that etcd tells of. */
  take({ key, value, modRevision }: StoreEntry): Uint8Array | undefined {
    const answered = this.#answered.get(modRevision);
    this.#answered.delete(modRevision);
    if (answered !== undefined) return answered;
    for (const written of this.#underWay.get(key) ?? []) if (Buffer.compare(written, value) === 0) return written;
    return undefined;
  }

  /** No event up to `revision` will come any more. */
  forget(revision: number): void {
    for (const known of this.#answered.keys()) if (known <= revision) this.#answered.delete(known);
  }
}
