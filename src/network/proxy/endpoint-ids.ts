// Numbers for endpoints, so that session affinity survives when others come and go.
import { FIRST_ENDPOINT_ID } from "./balancer.ts";

interface Held {
  readonly id: number;
  holders: number;
}

/** A number stays with its endpoint while some owner holds it, and is given to no other endpoint afterwards. */
export class EndpointIds {
  readonly #held = new Map<string, Held>();
  readonly #byOwner = new Map<string, ReadonlySet<string>>();
  #next = FIRST_ENDPOINT_ID;

  get size(): number {
    return this.#held.size;
  }

  /** Answers what `build` makes with numbers for its endpoints; those are the owner's from then on, what it held before is let go. */
  assign<T>(owner: string, build: (idOf: (target: string) => number) => T): T {
    const targets = new Set<string>();
    const result = build((target) => {
      const held = this.#held.get(target) ?? { id: this.#next++, holders: 0 };
      this.#held.set(target, held);
      if (!targets.has(target)) held.holders++;
      targets.add(target);
      return held.id;
    });
    for (const target of this.#byOwner.get(owner) ?? []) this.#release(target);
    if (targets.size > 0) this.#byOwner.set(owner, targets);
    else this.#byOwner.delete(owner);
    return result;
  }

  #release(target: string): void {
    const held = this.#held.get(target);
    if (held === undefined) return;
    held.holders--;
    if (held.holders === 0) this.#held.delete(target);
  }
}
