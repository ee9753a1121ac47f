// A small API server in memory for this folder's own tests: enough of an ApiHandler for clients and informers, without
// defaulting, validation or admission. The real one runs the same suite in test/integration.
import type { ApiHandler, RequestScope, Stored, StoredWatchEvent, UncheckedObject, WatchOptions } from "../api/index.ts";
import {
  alreadyExists,
  badRequest,
  deepFreeze,
  expired,
  type KubeObject,
  notFound,
  objectModified,
  type Status,
  statusError,
} from "../machinery/index.ts";

type Change = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly path: string;
  readonly stored: Stored;
  readonly revision: number;
};
type Draft = KubeObject & Record<string, unknown>;

export class FakeHandler implements ApiHandler {
  readonly #objects = new Map<string, Stored>();
  #history: Change[] = [];
  #revision = 1;
  #compactedTo = 0;
  #changed = Promise.withResolvers<void>();
  #cut = new AbortController();
  /** Thrown by the next call, once. */
  failNext: Error | undefined;
  /** Whether watches may ask for initial events. */
  canStream = true;
  readonly calls: string[] = [];

  /** Forgets all history: watches from before get 410. */
  compact(): void {
    this.#compactedTo = this.#revision;
    this.#history = [];
  }

  /** Ends all watches in good order. */
  cutWatches(): void {
    this.#cut.abort();
    this.#cut = new AbortController();
  }

  async get(scope: RequestScope): Promise<Stored> {
    this.#begin("get");
    return this.#find(scope);
  }

  async list(
    scope: RequestScope,
    options: { labelSelector?: string | undefined; limit?: number | undefined; continue?: string | undefined },
  ) {
    this.#begin("list");
    const all = this.#select(scope, options.labelSelector);
    const start = Number(options.continue ?? 0);
    const end = Math.min(all.length, start + (options.limit || all.length));
    const rest = end < all.length ? { continue: String(end), remainingItemCount: all.length - end } : {};
    return { items: all.slice(start, end), resourceVersion: String(this.#revision), ...rest };
  }

  async watch(scope: RequestScope, options: WatchOptions): Promise<AsyncIterable<readonly StoredWatchEvent[]>> {
    this.#begin("watch");
    if (options.sendInitialEvents === true && !this.canStream) throw statusError("Invalid", "sendInitialEvents is forbidden");
    const from = options.resourceVersion === undefined ? this.#revision : Number(options.resourceVersion);
    if (from < this.#compactedTo) throw expired(`too old resource version: ${from} (${this.#compactedTo})`);
    return this.#stream(scope, options, from);
  }

  async create(scope: RequestScope, object: UncheckedObject, options: { dryRun?: boolean | undefined }): Promise<Stored> {
    this.#begin("create");
    if (scope.subresource === "binding") return this.#bind(scope, object);
    const draft = structuredClone(object) as Draft;
    draft.metadata.name ??= `${draft.metadata.generateName ?? ""}${this.#revision}`;
    const named = { ...scope, name: draft.metadata.name };
    if (this.#objects.has(pathOf(named))) throw alreadyExists(scope.resource, named.name);
    draft.metadata.uid = `uid-${this.#revision}`;
    return this.#put(named, draft, options.dryRun === true);
  }

  async update(scope: RequestScope, object: UncheckedObject, options: { dryRun?: boolean | undefined }) {
    this.#begin("update");
    const old = this.#find(scope);
    const draft = structuredClone(object) as Draft;
    const version = draft.metadata.resourceVersion;
    if (version !== undefined && version !== old.object.metadata.resourceVersion) throw objectModified(scope.resource, scope.name);
    draft.metadata.uid = old.object.metadata.uid;
    return { stored: this.#put(scope, draft, options.dryRun === true), created: false };
  }

  async patch(scope: RequestScope, patch: unknown, options: { type: string; dryRun?: boolean | undefined }) {
    this.#begin("patch");
    if (options.type === "application/json-patch+json") throw badRequest("the fake has no JSON patch");
    const isApply = options.type === "application/apply-patch+yaml";
    const old = isApply ? this.#objects.get(pathOf(scope)) : this.#find(scope);
    const draft = merge(old?.object ?? { metadata: { uid: `uid-${this.#revision}` } }, patch) as Draft;
    return { stored: this.#put(scope, draft, options.dryRun === true), created: old === undefined };
  }

  async delete(scope: RequestScope): Promise<{ status: Status }> {
    this.#begin("delete");
    this.#remove(pathOf(scope), this.#find(scope));
    return { status: { metadata: {}, status: "Success" } };
  }

  async deleteCollection(scope: RequestScope, _options: unknown, selection: { labelSelector?: string | undefined }) {
    this.#begin("deleteCollection");
    const items = this.#select(scope, selection.labelSelector);
    for (const stored of items) this.#remove(pathOf({ ...scope, name: stored.object.metadata.name ?? "" }), stored);
    return { items, resourceVersion: String(this.#revision) };
  }

  #begin(call: string): void {
    this.calls.push(call);
    const error = this.failNext;
    this.failNext = undefined;
    if (error !== undefined) throw error;
  }

  #find(scope: RequestScope): Stored {
    const stored = this.#objects.get(pathOf(scope));
    if (stored === undefined) throw notFound(scope.resource, scope.name);
    return stored;
  }

  #select(scope: RequestScope, labelSelector: string | undefined): Stored[] {
    const prefix = pathOf({ ...scope, name: "" });
    const found = [...this.#objects].filter(([path, stored]) => path.startsWith(prefix) && isMatch(stored, labelSelector));
    return found.map(([, stored]) => stored);
  }

  #bind(scope: RequestScope, binding: UncheckedObject): Stored {
    const nodeName = (binding["target"] as { name: string }).name;
    this.#put(scope, merge(this.#find(scope).object, { spec: { nodeName } }) as Draft, false);
    const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" };
    return { object: status, json: Buffer.from(JSON.stringify(status)) };
  }

  #put(scope: RequestScope, draft: Draft, isDryRun: boolean): Stored {
    if (!isDryRun) this.#revision++;
    const metadata = { ...draft.metadata, resourceVersion: isDryRun ? undefined : String(this.#revision) };
    if (scope.namespace !== "") metadata.namespace = scope.namespace;
    const object = deepFreeze({ ...draft, apiVersion: scope.resource.apiVersion, kind: scope.resource.kind, metadata });
    const stored: Stored = { object, json: Buffer.from(JSON.stringify(object)) };
    if (isDryRun) return stored;
    const path = pathOf(scope);
    this.#record(this.#objects.has(path) ? "MODIFIED" : "ADDED", path, stored);
    this.#objects.set(path, stored);
    return stored;
  }

  #remove(path: string, old: Stored): void {
    this.#objects.delete(path);
    this.#revision++;
    const object = deepFreeze({ ...old.object, metadata: { ...old.object.metadata, resourceVersion: String(this.#revision) } });
    this.#record("DELETED", path, { object, json: Buffer.from(JSON.stringify(object)) });
  }

  #record(type: Change["type"], path: string, stored: Stored): void {
    this.#history.push({ type, path, stored, revision: this.#revision });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async *#stream(scope: RequestScope, options: WatchOptions, from: number): AsyncGenerator<readonly StoredWatchEvent[]> {
    const { signal = new AbortController().signal } = scope;
    const ending = AbortSignal.any([signal, this.#cut.signal]);
    const ended = new Promise<void>((resolve) => ending.addEventListener("abort", () => resolve()));
    const prefix = pathOf({ ...scope, name: "" });
    let seen = from;
    if (options.sendInitialEvents === true) {
      seen = this.#revision;
      for (const stored of this.#select(scope, options.labelSelector)) yield [{ type: "ADDED", stored }];
      yield [{ type: "BOOKMARK", resourceVersion: String(seen), isInitialEventsEnd: true }];
    }
    while (!ending.aborted) {
      const changed = this.#changed.promise;
      const fresh = this.#history.filter((change) => change.revision > seen && change.path.startsWith(prefix));
      seen = this.#revision;
      const events = fresh.filter(({ stored }) => isMatch(stored, options.labelSelector));
      if (events.length > 0) yield events.map(({ type, stored }) => ({ type, stored }));
      else await Promise.race([changed, ended]);
    }
  }
}

function pathOf({ resource, namespace, name }: RequestScope): string {
  return `/${resource.group}/${resource.resource}/${namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** Equality terms only. */
function isMatch({ object }: Stored, labelSelector: string | undefined): boolean {
  if (labelSelector === undefined || labelSelector === "") return true;
  return labelSelector.split(",").every((term) => {
    const [label = "", value] = term.split("=");
    return object.metadata.labels?.[label] === value;
  });
}

/** RFC 7396. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === "object" ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
