// Watch: where it starts, what it sends first, and its limits.
import type { RequestScope, Resource, StoredWatchEvent, WatchOptions } from "../../api/index.ts";
import { expired, type FieldError, field, invalid } from "../../machinery/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { Watcher, type WatcherOptions } from "../watch-cache/watcher.ts";
import { parseRevision, waitUntilFresh, waitUntilReached } from "./freshness.ts";
import { scopePrefix } from "./key.ts";
import { selected } from "./read-path.ts";
import { parseSelection, type Selection } from "./selection.ts";
import { cacheOf, type ServerContext } from "./server-context.ts";
import { presented, presentedBefore } from "./stored-as.ts";

/** Watches that name no timeout end after half an hour to an hour, so that they spread over time. */
const MIN_TIMEOUT_MS = 1800_000;
const BOOKMARK_EVERY_MS = 60_000;

export async function watchObjects(
  context: ServerContext,
  scope: RequestScope,
  options: WatchOptions,
): Promise<AsyncIterable<readonly StoredWatchEvent[]>> {
  checkWatchOptions(options);
  const { resource, namespace } = scope;
  const selection = parseSelection(resource, options);
  const revision = parseRevision(options.resourceVersion);
  const sendsInitial = options.sendInitialEvents ?? (revision === undefined || revision === 0);
  if (sendsInitial || revision === undefined) await waitUntilFresh(context, revision);
  const cache = cacheOf(context, resource);
  const startsNow = sendsInitial || revision === undefined || revision === 0;
  if (!startsNow) await waitUntilReached(context, revision);
  const afterRevision = startsNow ? context.cache.appliedRevision : revision;
  if (afterRevision < cache.window.forgottenRevision) {
    throw expired(`too old resource version: ${afterRevision} (${cache.window.forgottenRevision})`);
  }
  const prefix = scopePrefix(resource, namespace);
  const watcher = new Watcher({
    cache,
    clock: context.clock,
    prefix,
    ...selector(resource, selection),
    afterRevision,
    initial: sendsInitial ? initialEvents(await selected(resource, cache.entries(prefix), selection), options, afterRevision) : [],
    bookmarkRevision: options.allowWatchBookmarks === true ? () => context.cache.appliedRevision : undefined,
    bookmarkEveryMs: BOOKMARK_EVERY_MS,
    timeoutMs: timeoutMs(context, options.timeoutSeconds),
    wake: options.wake ?? ((go) => go()),
    signal: endOf(scope),
  });
  return resource.storedAs === undefined ? watcher : convertEvents(scope, watcher);
}

/** What judges the entries: by what is stored, or after a wait by what the version that is asked for shows. */
function selector(resource: Resource, { matches, matchesShown }: Selection): Pick<WatcherOptions, "matches" | "prepare"> {
  if (matchesShown === undefined) return { matches };
  return {
    matches(entry) {
      if (matches?.(entry) === false) return false;
      const shown = presentedBefore(resource, entry);
      return shown !== undefined && matchesShown(shown);
    },
    prepare: ({ current, previous }) =>
      Promise.all([current, previous].map((entry) => (entry === undefined ? undefined : presented(resource, entry)))),
  };
}

function initialEvents(entries: readonly CacheEntry[], options: WatchOptions, revision: number): StoredWatchEvent[] {
  const events: StoredWatchEvent[] = entries.map((stored) => ({ type: "ADDED", stored }));
  if (options.sendInitialEvents === true && options.allowWatchBookmarks === true) {
    events.push({ type: "BOOKMARK", resourceVersion: String(revision), isInitialEventsEnd: true });
  }
  return events;
}

async function* convertEvents(
  scope: RequestScope,
  batches: AsyncIterable<readonly StoredWatchEvent[]>,
): AsyncGenerator<readonly StoredWatchEvent[]> {
  for await (const batch of batches) {
    yield await Promise.all(
      batch.map(async (event) =>
        "stored" in event ? { ...event, stored: await presented(scope.resource, event.stored as CacheEntry) } : event,
      ),
    );
  }
}

/** A watch ends with its request, and when its resource is served no more. */
function endOf({ signal, resource: { served } }: RequestScope): AbortSignal | undefined {
  return signal === undefined || served === undefined ? (signal ?? served) : AbortSignal.any([signal, served]);
}

function timeoutMs({ random }: ServerContext, timeoutSeconds: number | undefined): number {
  return timeoutSeconds === undefined || timeoutSeconds <= 0 ? MIN_TIMEOUT_MS * (1 + random.next()) : timeoutSeconds * 1000;
}

/** The combinations that upstream refuses. */
function checkWatchOptions({ resourceVersionMatch: match = "", sendInitialEvents }: WatchOptions): void {
  const errors: FieldError[] = [];
  const path = "resourceVersionMatch";
  if (sendInitialEvents === undefined) {
    if (match !== "")
      errors.push(field.forbidden(path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
  } else if (match === "") {
    errors.push(field.forbidden(path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  } else if (match !== "NotOlderThan") {
    errors.push(field.notSupported(path, match, ["NotOlderThan"]));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}
