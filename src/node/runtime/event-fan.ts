// Hands each event to every listener; a listener that is slow gets each pod once.
import type { RuntimeEvent } from "./runtime.ts";

interface Listener {
  readonly pending: Set<string>;
  wake: () => void;
}

export class EventFan {
  readonly #listeners = new Set<Listener>();

  emit(podUid: string): void {
    for (const listener of this.#listeners) {
      listener.pending.add(podUid);
      listener.wake();
    }
  }

  /** Listens from the call on, not only from the first `next`. */
  listen(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const listener: Listener = { pending: new Set(), wake: () => {} };
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#end(listener), { once: true });
    if (signal.aborted) this.#end(listener);
    return this.#events(listener, signal);
  }

  #end(listener: Listener): void {
    this.#listeners.delete(listener);
    listener.wake();
  }

  async *#events(listener: Listener, signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    try {
      while (!signal.aborted) {
        for (const podUid of listener.pending) {
          listener.pending.delete(podUid);
          yield { podUid };
        }
        if (signal.aborted || listener.pending.size > 0) continue;
        await new Promise<void>((resolve) => {
          listener.wake = resolve;
        });
      }
    } finally {
      this.#end(listener);
    }
  }
}
