// What a resourceVersion in a read asks for, and waiting until the cache can answer it.
import { badRequest, expired, type StatusError, statusError } from "../../machinery/index.ts";
import type { ServerContext } from "./server-context.ts";

/** How long a read waits for a revision that has not been seen yet. */
const FRESHNESS_LIMIT_MS = 3000;

/** "" and undefined are undefined; else a whole number, or 400. */
export function parseRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const revision = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(revision)) {
    throw badRequest(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return revision;
}

/** Waits until the cache is as new as `revision`; undefined asks for the newest state, 0 for any. */
export async function waitUntilFresh(context: ServerContext, revision: number | undefined): Promise<void> {
  if (revision === undefined) {
    await context.cache.waitForNewest();
  } else if (revision > context.cache.appliedRevision) {
    const isFresh = await context.cache.waitFor(revision, FRESHNESS_LIMIT_MS);
    if (!isFresh) throw tooLargeRevision(revision, context.cache.appliedRevision);
  }
}

/**
 * Waits until a watch can start after `revision`; `Expired` when it does not come, so that the client lists anew.
 *
 * DEVIATION: upstream lets such a watch wait in silence. Clients name a revision of the future when the objects have moved to another
 * store, or come from a snapshot, and would miss all that happens until its revisions are as large.
 */
export async function waitUntilReached(context: ServerContext, revision: number): Promise<void> {
  if (revision <= context.cache.appliedRevision || (await context.cache.waitFor(revision, FRESHNESS_LIMIT_MS))) return;
  throw expired(`resource version ${revision} is ahead of the newest one: ${context.cache.appliedRevision}`);
}

export function tooLargeRevision(revision: number, current: number): StatusError {
  return statusError("Timeout", `Too large resource version: ${revision}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}
