// Get and list.
import type { ListOptions, ReadOptions, RequestScope, Resource, Stored, StoredList } from "../../api/index.ts";
import { badRequest, expired, field, invalid, notFound } from "../../machinery/index.ts";
import { CompactedError, FutureRevisionError } from "../../storage/index.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import { type ContinueToken, decodeContinue, encodeContinue } from "./continue-token.ts";
import { parseRevision, tooLargeRevision, waitUntilFresh } from "./freshness.ts";
import { objectStoreKey, scopePrefix } from "./key.ts";
import { parseSelection, type Selection } from "./selection.ts";
import { cacheOf, type ServerContext } from "./server-context.ts";
import { presented } from "./stored-as.ts";

export async function getObject(context: ServerContext, scope: RequestScope, options: ReadOptions): Promise<Stored> {
  const { resource, namespace, name } = scope;
  await waitUntilFresh(context, parseRevision(options.resourceVersion));
  const entry = cacheOf(context, resource).get(objectStoreKey(resource, namespace, name));
  if (entry === undefined) throw notFound(resource, name);
  return presented(resource, entry);
}

/** The state that a list is cut from. */
interface Snapshot {
  readonly entries: readonly CacheEntry[];
  /** Entries behind these that were left out. */
  readonly remaining: number;
  readonly revision: number;
}

export async function listObjects(context: ServerContext, scope: RequestScope, options: ListOptions): Promise<StoredList> {
  checkListOptions(options);
  const { resource } = scope;
  const selection = parseSelection(resource, options);
  const token = options.continue === undefined || options.continue === "" ? undefined : decodeContinue(options.continue);
  const limit = options.resourceVersion === "0" && token === undefined ? 0 : (options.limit ?? 0);
  const isAll = selection.matches === undefined && selection.matchesShown === undefined;
  const { entries, remaining, revision } = await snapshot(context, scope, options, {
    token,
    name: selection.name,
    limit: isAll ? limit : 0,
  });
  const fitting = selection.matchesShown === undefined ? entries : await selected(resource, entries, selection);
  const page = remaining > 0 ? { items: entries, hasMore: true } : takePage(fitting, selection, limit);
  const items = resource.storedAs === undefined ? page.items : await Promise.all(page.items.map((entry) => presented(resource, entry)));
  const last = page.items.at(-1);
  if (!page.hasMore || last === undefined) return { items, resourceVersion: String(revision) };
  const after = last.key.slice(scopePrefix(resource, scope.namespace).length);
  return {
    items,
    resourceVersion: String(revision),
    continue: encodeContinue({ revision, after }),
    ...(isAll ? { remainingItemCount: entries.length - items.length + remaining } : {}),
  };
}

/** The entries that are selected, by what is stored and by what the version that is asked for shows of them. */
export async function selected(
  resource: Resource,
  entries: readonly CacheEntry[],
  { matches, matchesShown }: Selection,
): Promise<readonly CacheEntry[]> {
  const candidates = matches === undefined ? entries : entries.filter(matches);
  if (matchesShown === undefined) return candidates;
  const shown = await Promise.all(candidates.map((entry) => presented(resource, entry)));
  return candidates.filter((_, index) => {
    const one = shown[index];
    return one !== undefined && matchesShown(one);
  });
}

function takePage(
  entries: readonly CacheEntry[],
  { matches }: Selection,
  limit: number,
): { items: readonly CacheEntry[]; hasMore: boolean } {
  if (matches === undefined) {
    if (limit <= 0 || entries.length <= limit) return { items: entries, hasMore: false };
    return { items: entries.slice(0, limit), hasMore: true };
  }
  const items: CacheEntry[] = [];
  for (const entry of entries) {
    if (!matches(entry)) continue;
    if (limit > 0 && items.length === limit) return { items, hasMore: true };
    items.push(entry);
  }
  return { items, hasMore: false };
}

async function snapshot(
  context: ServerContext,
  scope: RequestScope,
  options: ListOptions,
  { token, name, limit }: { readonly token: ContinueToken | undefined; readonly name: string | undefined; readonly limit: number },
): Promise<Snapshot> {
  const { cache } = context;
  const asked = parseRevision(options.resourceVersion);
  const isExact = options.resourceVersionMatch === "Exact" || token?.revision !== undefined;
  const revision = token === undefined ? asked : token.revision;
  await waitUntilFresh(context, revision);
  const prefix = scopePrefix(scope.resource, scope.namespace);
  const after = token === undefined ? undefined : prefix + token.after;
  const resourceCache = cacheOf(context, scope.resource);
  if (isExact && revision !== undefined) {
    const isUnchangedSince = resourceCache.lastRevision <= revision;
    if (!isUnchangedSince) return storedSnapshot(context, prefix, { revision, after, isContinued: token !== undefined });
    return { ...resourceCache.page(prefix, limit, after), revision };
  }
  if (name !== undefined && scope.namespace !== "" && after === undefined) {
    const entry = resourceCache.get(prefix + name);
    return { entries: entry === undefined ? [] : [entry], remaining: 0, revision: cache.appliedRevision };
  }
  return { ...resourceCache.page(prefix, limit, after), revision: cache.appliedRevision };
}

/** The state of an older revision, which only the store knows. */
async function storedSnapshot(
  context: ServerContext,
  prefix: string,
  { revision, after, isContinued }: { revision: number; after: string | undefined; isContinued: boolean },
): Promise<Snapshot> {
  try {
    const { entries } = await context.store.range(prefix, { revision, ...(after === undefined ? {} : { after }) });
    return { entries: entries.map((stored) => context.cache.entries.entry(stored)), remaining: 0, revision };
  } catch (error) {
    if (error instanceof FutureRevisionError) throw tooLargeRevision(revision, error.currentRevision);
    if (!(error instanceof CompactedError)) throw error;
    if (!isContinued || after === undefined) throw expired(`The resourceVersion for the provided list is too old.`);
    throw expiredContinue(after.slice(prefix.length));
  }
}

/** 410 with a token by which the client may go on at the price of an inconsistent list. */
function expiredContinue(after: string): Error {
  const error = expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the " +
      "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the " +
      "provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first " +
      "chunk was returned and now may show up in the list.",
  );
  error.status.metadata = { continue: encodeContinue({ revision: undefined, after }) };
  return error;
}

/** The combinations that upstream refuses. */
function checkListOptions({ resourceVersion = "", resourceVersionMatch: match, continue: token = "", limit = 0 }: ListOptions): void {
  if (limit < 0) throw badRequest(`limit: Invalid value: ${limit}: must be greater than or equal to 0`);
  const path = "resourceVersionMatch";
  const listOptions = { group: "meta.k8s.io", kind: "ListOptions" };
  if (token !== "" && resourceVersion !== "" && resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  if (match === undefined || match === "") return;
  if (resourceVersion === "")
    throw invalid(listOptions, "", [field.forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided")]);
  if (token !== "") throw invalid(listOptions, "", [field.forbidden(path, "resourceVersionMatch is forbidden when continue is provided")]);
  if (match !== "Exact" && match !== "NotOlderThan")
    throw invalid(listOptions, "", [field.notSupported(path, match, ["Exact", "NotOlderThan"])]);
  if (match === "Exact" && resourceVersion === "0") {
    throw invalid(listOptions, "", [field.forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')]);
  }
}
