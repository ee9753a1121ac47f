// Which webhooks or policies are asked a second time: those that may be, and that have not seen what others made later.
import { copyJson, deepEqual } from "../../machinery/index.ts";
import type { Draft } from "../registry/draft.ts";
import type { MutationPass } from "./mutation-pass.ts";

export class Reinvocations {
  /** Asked so far, and willing to be asked again. */
  #invoked = new Set<string>();
  /** To be asked again. */
  readonly #due = new Set<string>();
  #lastSeen: Draft | undefined;

  /** At the begin of each time: what plug-ins changed in between makes everyone due. */
  begin(pass: MutationPass, object: Draft | undefined): void {
    if (pass.isReinvocation && !deepEqual(object, this.#lastSeen)) this.#makeDue();
  }

  /** At the end of each time. */
  end(object: Draft | undefined): void {
    this.#lastSeen = copyJson(object);
  }

  isDue(id: string): boolean {
    return this.#due.has(id);
  }

  /** Someone has changed the object. */
  changed(pass: MutationPass): void {
    this.#makeDue();
    pass.requestReinvocation();
  }

  /** `id` has been asked and may be asked again. */
  invoked(id: string): void {
    this.#invoked.add(id);
  }

  #makeDue(): void {
    for (const id of this.#invoked) this.#due.add(id);
    this.#invoked = new Set();
  }
}
