// Calls that go wrong as calls to other processes do: slow, refused, done without an answer, carried out after they were given up.
import { type Clock, type Random, randomInt } from "../base/index.ts";

export interface Trouble {
  readonly clock: Clock;
  readonly random: Random;
  /** How many calls of a hundred fail: half of them after they were carried out. */
  failuresPercent: number;
  /** Half of the calls take up to this long. */
  maxDelayMs: number;
  /** What a call that fails rejects with. */
  readonly error: () => unknown;
}

type Call = (...args: unknown[]) => Promise<unknown>;

/** The same object, but the methods of these names meet `trouble`. */
export function flaky<T extends object>(target: T, methods: readonly (keyof T & string)[], trouble: Trouble): T {
  const names: ReadonlySet<unknown> = new Set(methods);
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      const call = value.bind(object) as Call;
      return names.has(name) ? (...args: unknown[]) => meet(trouble, call, args) : call;
    },
  });
}

/** One who gives up is answered at once; the other side does not learn of it. */
function meet(trouble: Trouble, call: Call, args: readonly unknown[]): Promise<unknown> {
  const signal = args.find((arg) => arg instanceof AbortSignal);
  const done = carryOut(trouble, () => call(...args.map((arg) => (arg === signal ? undefined : arg))));
  if (signal === undefined) return done;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    done.then(resolve, reject);
  });
}

async function carryOut(trouble: Trouble, call: () => Promise<unknown>): Promise<unknown> {
  const { clock, random, failuresPercent, maxDelayMs, error } = trouble;
  const fate = randomInt(random, 200);
  const delayMs = Math.max(0, randomInt(random, 2 * maxDelayMs + 1) - maxDelayMs);
  if (delayMs > 0) await clock.sleep(randomInt(random, delayMs));
  if (fate < failuresPercent) throw error();
  const answer = await call();
  if (delayMs > 0) await clock.sleep(delayMs / 2);
  if (fate >= 200 - failuresPercent) throw error();
  return answer;
}
