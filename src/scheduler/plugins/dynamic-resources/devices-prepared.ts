// Waits for drivers to prepare devices before a pod is bound.
import type { ResourceClaim } from "../../../api/types/resource/v1.ts";
import type { Clock } from "../../../base/index.ts";
import type { Informer } from "../../../client/index.ts";
import type { Claim } from "./allocator.ts";
import { bindingProgress } from "./binding-conditions.ts";

/** Resolves when all devices are ready; rejects when one failed or took too long. `written` are the claims as they were written. */
export function devicesPrepared(
  written: readonly Claim[],
  { claims, clock }: { readonly claims: Informer<ResourceClaim>; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const progressOf = (claim: Claim) => {
    const current = claims.lister.get(claim.metadata.namespace ?? "", claim.metadata.name ?? "");
    return bindingProgress(current?.status?.allocation === undefined ? claim : current, clock.now());
  };
  if (written.every((claim) => progressOf(claim).state === "ready")) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const ended = new AbortController();
    const end = (settle: () => void) => {
      ended.abort();
      settle();
    };
    const look = () => {
      const progress = written.map(progressOf);
      const failed = progress.find(({ state }) => state === "failed");
      if (failed?.state === "failed") end(() => reject(new Error(failed.why)));
      else if (progress.every(({ state }) => state === "ready")) end(resolve);
    };
    const deadlines = written.map(progressOf).flatMap((progress) => (progress.state === "waiting" ? [progress.deadlineMs] : []));
    const timer = clock.setTimeout(look, Math.min(...deadlines) + 1 - clock.now());
    const stop = claims.onChange({ updated: look, deleted: look });
    const giveUp = () => end(() => reject(signal.reason));
    signal.addEventListener("abort", giveUp, { once: true });
    ended.signal.addEventListener("abort", () => {
      timer.cancel();
      stop();
      signal.removeEventListener("abort", giveUp);
    });
  });
}
