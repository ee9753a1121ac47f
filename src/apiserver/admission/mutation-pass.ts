// A request's way through the mutating plugins: once, and a second time when a webhook or policy has changed what the
// plugins before it had already seen.

export class MutationPass {
  /** Whether this is the second time. */
  isReinvocation = false;
  #isWanted = false;
  readonly #states = new Map<object, unknown>();

  /** Asks for a second time. */
  requestReinvocation(): void {
    this.#isWanted = true;
  }

  /** Turns to the second time, if someone asked for it and there has been none. */
  beginReinvocation(): boolean {
    if (!this.#isWanted || this.isReinvocation) return false;
    this.isReinvocation = true;
    return true;
  }

  /** What `owner` keeps from the first time to the second. */
  state<T>(owner: object, make: () => T): T {
    if (!this.#states.has(owner)) this.#states.set(owner, make());
    return this.#states.get(owner) as T;
  }
}
