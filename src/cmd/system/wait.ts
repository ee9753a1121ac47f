// Waiting for something outside this process, in short steps that grow.
import { connect } from "node:net";
import type { Clock } from "../../base/index.ts";

export interface PollOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly firstMs?: number;
  readonly mostMs?: number;
}

/** Resolves with the first answer of `probe` that is not undefined. Rejects with the signal's reason, or what `probe` throws. */
export async function poll<T>(probe: () => Promise<T | undefined>, options: PollOptions): Promise<T> {
  const mostMs = options.mostMs ?? 50;
  for (let delayMs = options.firstMs ?? 2; ; delayMs = Math.min(delayMs * 1.5, mostMs)) {
    options.signal.throwIfAborted();
    const answer = await probe();
    if (answer !== undefined) return answer;
    await options.clock.sleep(delayMs, options.signal);
  }
}

/** Whether something accepts connections on a unix socket. */
export function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
