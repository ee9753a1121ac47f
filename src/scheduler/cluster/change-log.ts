// Which slots have changed, in order: whoever remembers something about nodes looks again only at those.

/** Beyond this, those who are far behind look at everything. */
const MAX_CHANGES = 65_536;

export class ChangeLog {
  #slots: number[] = [];
  /** How many changes were forgotten. */
  #forgotten = 0;

  /** How many changes there have been. */
  get length(): number {
    return this.#forgotten + this.#slots.length;
  }

  /** Answers the change's number, from 1. */
  add(slot: number): number {
    if (this.#slots.length === MAX_CHANGES) {
      this.#slots = this.#slots.slice(MAX_CHANGES / 2);
      this.#forgotten += MAX_CHANGES / 2;
    }
    this.#slots.push(slot);
    return this.length;
  }

  /** The slots that changed after there had been `length` changes; undefined when that is forgotten. */
  since(length: number): readonly number[] | undefined {
    return length < this.#forgotten ? undefined : this.#slots.slice(length - this.#forgotten);
  }
}
