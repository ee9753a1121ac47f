// Answers how far etcd is, and waits until this process has seen all of it. Whoever asks while a question is under way
// shares the next one: many readers cost few questions.

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class RevisionProbe {
  readonly #ask: () => Promise<number>;
  #seen: number;
  #underWay: Promise<number> | undefined;
  #next: Promise<number> | undefined;
  #waiters: Waiter[] = [];

  constructor(seenRevision: number, ask: () => Promise<number>) {
    this.#seen = seenRevision;
    this.#ask = ask;
  }

  /** All events up to it have been taken. */
  get seenRevision(): number {
    return this.#seen;
  }

  /** All events up to `revision` have been taken. */
  saw(revision: number): void {
    this.#seen = Math.max(this.#seen, revision);
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.revision <= this.#seen) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  /** Resolves when everything that etcd had at the time of this call was seen. */
  async caughtUp(): Promise<void> {
    const revision = await this.#head();
    if (revision <= this.#seen) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ revision, resolve, reject });
    });
  }

  close(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters = [];
  }

  /** A question that is under way may have been answered before this call: only one that is yet to be asked will do. */
  #head(): Promise<number> {
    if (this.#underWay === undefined) return this.#start();
    this.#next ??= this.#underWay.then(
      () => this.#startNext(),
      () => this.#startNext(),
    );
    return this.#next;
  }

  #startNext(): Promise<number> {
    this.#next = undefined;
    return this.#start();
  }

  #start(): Promise<number> {
    const question = this.#ask().finally(() => {
      if (this.#underWay === question) this.#underWay = undefined;
    });
    this.#underWay = question;
    return question;
  }
}
