// What list+watch does next, as a pure function of its state and what the server said. reflector.ts carries it out.
import { type DeepReadonly, isExpired, isTooManyRequests, type KubeObject, objectKey, StatusError } from "../machinery/index.ts";
import type { WatchEvent } from "./client.ts";

/** Batches of a stream's initial events, newest first: appending shares what is there. */
interface InitialBatches<T extends KubeObject> {
  readonly events: readonly WatchEvent<T>[];
  readonly before: InitialBatches<T> | undefined;
}

export type ReflectorState<T extends KubeObject> =
  /**
   * Nothing valid is known; one watch brings the present objects, a bookmark, then changes. A refusal leads to `listing`,
   * a broken stream starts over.
   */
  | { readonly tag: "streaming"; readonly initial: InitialBatches<T> | undefined }
  /** Nothing valid is known; a list brings the present objects. Any failure lists again. */
  | { readonly tag: "listing"; readonly resourceVersion: "" | "0" }
  /**
   * All up to `resourceVersion` is known. A stream that ends or breaks resumes there; an expired version lists again.
   * `isQuiet` while the current stream has brought nothing.
   */
  | { readonly tag: "watching"; readonly resourceVersion: string; readonly isQuiet: boolean; readonly canStream: boolean };

export type ReflectorInput<T extends KubeObject> =
  | { readonly type: "listed"; readonly items: readonly DeepReadonly<T>[]; readonly resourceVersion: string }
  | { readonly type: "events"; readonly events: readonly WatchEvent<T>[] }
  /** The server ended the stream in good order. */
  | { readonly type: "ended" }
  | { readonly type: "failed"; readonly error: unknown };

export type ReflectorOutput<T extends KubeObject> =
  /** These objects are all there are. */
  | { readonly type: "replace"; readonly objects: readonly DeepReadonly<T>[] }
  | { readonly type: "apply"; readonly events: readonly WatchEvent<T>[] };

export interface ReflectorStep<T extends KubeObject> {
  readonly state: ReflectorState<T>;
  /** To be given to the cache, in order. */
  readonly outputs: readonly ReflectorOutput<T>[];
  /** `continue` the stream, make the state's call at once (`call`), or after a back-off (`backoff`). */
  readonly next: "continue" | "call" | "backoff";
}

export function initialState<T extends KubeObject>(canStream: boolean): ReflectorState<T> {
  return canStream ? { tag: "streaming", initial: undefined } : { tag: "listing", resourceVersion: "0" };
}

export function step<T extends KubeObject>(state: ReflectorState<T>, input: ReflectorInput<T>): ReflectorStep<T> {
  switch (state.tag) {
    case "streaming":
      return stepStreaming(state, input);
    case "listing":
      return stepListing(state, input);
    case "watching":
      return stepWatching(state, input);
  }
}

function stepStreaming<T extends KubeObject>(
  state: ReflectorState<T> & { readonly tag: "streaming" },
  input: ReflectorInput<T>,
): ReflectorStep<T> {
  switch (input.type) {
    case "events":
      return collect(state.initial, input.events);
    case "failed": {
      const isRefused = input.error instanceof StatusError && !isTooManyRequests(input.error) && !isExpired(input.error);
      if (isRefused && state.initial === undefined) return { state: { tag: "listing", resourceVersion: "0" }, outputs: [], next: "call" };
      return { state: initialState(true), outputs: [], next: "backoff" };
    }
    case "ended":
    case "listed":
      return { state: initialState(true), outputs: [], next: "backoff" };
  }
}

function collect<T extends KubeObject>(before: InitialBatches<T> | undefined, events: readonly WatchEvent<T>[]): ReflectorStep<T> {
  const end = events.findIndex((event) => event.type === "BOOKMARK" && event.isInitialEventsEnd);
  const bookmark = events[end];
  if (bookmark?.type !== "BOOKMARK") return { state: { tag: "streaming", initial: { events, before } }, outputs: [], next: "continue" };
  const objects = objectsOf({ events: events.slice(0, end), before });
  const rest = events.slice(end + 1);
  return {
    state: { tag: "watching", resourceVersion: newestVersion(rest) ?? bookmark.resourceVersion, isQuiet: false, canStream: true },
    outputs:
      rest.length === 0
        ? [{ type: "replace", objects }]
        : [
            { type: "replace", objects },
            { type: "apply", events: rest },
          ],
    next: "continue",
  };
}

/** What is there after a stream's initial events. */
function objectsOf<T extends KubeObject>(initial: InitialBatches<T>): readonly DeepReadonly<T>[] {
  const batches: (readonly WatchEvent<T>[])[] = [];
  for (let at: InitialBatches<T> | undefined = initial; at !== undefined; at = at.before) batches.push(at.events);
  const objects = new Map<string, DeepReadonly<T>>();
  for (const events of batches.reverse()) {
    for (const event of events) {
      if (event.type === "BOOKMARK") continue;
      if (event.type === "DELETED") objects.delete(objectKey(event.object));
      else objects.set(objectKey(event.object), event.object);
    }
  }
  return [...objects.values()];
}

function stepListing<T extends KubeObject>(
  state: ReflectorState<T> & { readonly tag: "listing" },
  input: ReflectorInput<T>,
): ReflectorStep<T> {
  switch (input.type) {
    case "listed":
      return {
        state: { tag: "watching", resourceVersion: input.resourceVersion, isQuiet: true, canStream: false },
        outputs: [{ type: "replace", objects: input.items }],
        next: "call",
      };
    case "failed":
      // A server that cannot answer from its cache is asked for the newest state.
      if (isExpired(input.error) && state.resourceVersion === "0") {
        return { state: { tag: "listing", resourceVersion: "" }, outputs: [], next: "call" };
      }
      return { state, outputs: [], next: "backoff" };
    case "events":
    case "ended":
      return { state, outputs: [], next: "backoff" };
  }
}

function stepWatching<T extends KubeObject>(
  state: ReflectorState<T> & { readonly tag: "watching" },
  input: ReflectorInput<T>,
): ReflectorStep<T> {
  switch (input.type) {
    case "events": {
      const resourceVersion = newestVersion(input.events) ?? state.resourceVersion;
      return { state: { ...state, resourceVersion, isQuiet: false }, outputs: [{ type: "apply", events: input.events }], next: "continue" };
    }
    case "failed":
      if (isExpired(input.error)) {
        const relist: ReflectorState<T> = state.canStream ? initialState(true) : { tag: "listing", resourceVersion: "" };
        return { state: relist, outputs: [], next: "backoff" };
      }
      return { state: { ...state, isQuiet: true }, outputs: [], next: "backoff" };
    case "ended":
      // A stream that brought nothing may be one that the server cuts at once: do not spin.
      return { state: { ...state, isQuiet: true }, outputs: [], next: state.isQuiet ? "backoff" : "call" };
    case "listed":
      return { state, outputs: [], next: "call" };
  }
}

function newestVersion<T extends KubeObject>(events: readonly WatchEvent<T>[]): string | undefined {
  const last = events.at(-1);
  return last?.type === "BOOKMARK" ? last.resourceVersion : last?.object.metadata.resourceVersion;
}
