// An API server as if it were far away: every answer and every watch event is late, each by chance, so that components see
// a world that has moved on.
import type { ApiHandler, StoredWatchEvent } from "../api/index.ts";
import type { Clock, Random } from "../base/index.ts";

export interface SlowHandlerOptions {
  readonly handler: ApiHandler;
  readonly clock: Clock;
  readonly random: Random;
  /** No request and no event is later than this. */
  readonly latencyMs: number;
}

/** Keeps the order of events of one watch; those of different watches overtake each other. */
export function slowHandler({ handler, clock, random, latencyMs }: SlowHandlerOptions): ApiHandler {
  const delay = (signal: AbortSignal | undefined) => clock.sleep(random.next() * latencyMs, signal);
  /** Half of the way there, half back: a request may have been carried out when its caller gives up. */
  const late = async <R>(signal: AbortSignal | undefined, call: () => Promise<R>): Promise<R> => {
    await delay(signal);
    const answer = await call();
    await delay(signal);
    return answer;
  };
  async function* lateEvents(events: AsyncIterable<readonly StoredWatchEvent[]>, signal: AbortSignal | undefined) {
    for await (const batch of events) {
      await delay(signal);
      yield batch;
    }
  }
  return {
    get: (scope, options) => late(scope.signal, () => handler.get(scope, options)),
    list: (scope, options) => late(scope.signal, () => handler.list(scope, options)),
    watch: async (scope, options) => lateEvents(await late(scope.signal, () => handler.watch(scope, options)), scope.signal),
    create: (scope, object, options) => late(scope.signal, () => handler.create(scope, object, options)),
    update: (scope, object, options) => late(scope.signal, () => handler.update(scope, object, options)),
    patch: (scope, patch, options) => late(scope.signal, () => handler.patch(scope, patch, options)),
    delete: (scope, options) => late(scope.signal, () => handler.delete(scope, options)),
    deleteCollection: (scope, options, selection) => late(scope.signal, () => handler.deleteCollection(scope, options, selection)),
  };
}
