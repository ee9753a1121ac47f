// The client of components on the other side of a network: HTTPS and JSON.
import type { ResourceRef } from "../../api/index.ts";
import { badRequest, type DeepReadonly, type KubeList, type KubeObject, type Status, StatusError } from "../../machinery/index.ts";
import type {
  Client,
  DeleteCallOptions,
  GetOptions,
  ListCallOptions,
  ObjectList,
  PatchCallOptions,
  WatchCallOptions,
  WatchEvent,
  WriteCallOptions,
} from "../client.ts";
import { LineSplitter } from "./line-splitter.ts";
import { type QueryValue, queryString, resourcePath } from "./path.ts";
import { Transport, type TransportOptions, type TransportRequest } from "./transport.ts";

export interface HttpClientOptions extends TransportOptions {
  /** How long a server may be silent in a call that is no watch. Default 70 s. */
  readonly silenceMs?: number;
}

interface WatchFrame<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: DeepReadonly<T>;
}

/** API servers end a request themselves after a minute: one that is silent for longer has lost it. */
const CALL_SILENCE_MS = 70_000;

const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

export class HttpClient implements Client {
  readonly #transport: Transport;

  readonly #silenceMs: number;

  constructor(options: HttpClientOptions) {
    this.#transport = new Transport(options);
    this.#silenceMs = options.silenceMs ?? CALL_SILENCE_MS;
  }

  /** Closes all connections; calls under way reject. */
  close(): void {
    this.#transport.close();
  }

  get<T extends KubeObject>(resource: ResourceRef<T>, name: string, options: GetOptions = {}): Promise<DeepReadonly<T>> {
    const { resourceVersion, signal } = options;
    const path = resourcePath(resource, { ...options, name: checkName(name) }) + queryString({ resourceVersion });
    return this.#call({ method: "GET", path, signal });
  }

  async list<T extends KubeObject>(resource: ResourceRef<T>, options: ListCallOptions = {}): Promise<ObjectList<T>> {
    const path = resourcePath(resource, options) + queryString(selectionQuery(options));
    const list = await this.#call<KubeList<DeepReadonly<T>>>({ method: "GET", path, signal: options.signal });
    const apiVersion = resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
    return {
      // Servers may leave out what the list's kind tells; the objects are still ours alone.
      items: list.items.map((item) => (item.kind === undefined ? { ...item, apiVersion, kind: resource.kind } : item)),
      resourceVersion: list.metadata.resourceVersion ?? "",
      continue: list.metadata.continue,
      remainingItemCount: list.metadata.remainingItemCount,
    };
  }

  async *watch<T extends KubeObject>(
    resource: ResourceRef<T>,
    options: WatchCallOptions = {},
  ): AsyncGenerator<readonly WatchEvent<T>[], void, undefined> {
    const { labelSelector, fieldSelector, resourceVersion, resourceVersionMatch, timeoutSeconds, signal } = options;
    const { allowWatchBookmarks, sendInitialEvents } = options;
    const query = { labelSelector, fieldSelector, resourceVersion, resourceVersionMatch, timeoutSeconds };
    const path = resourcePath(resource, options) + queryString({ watch: true, ...query, allowWatchBookmarks, sendInitialEvents });
    const response = await this.#transport.open({ method: "GET", path, signal });
    const splitter = new LineSplitter();
    for await (const chunk of this.#transport.chunks(response, signal)) {
      const { events, error } = readFrames<T>(splitter.push(chunk));
      if (events.length > 0) yield events;
      if (error !== undefined) throw error;
    }
  }

  create<T extends KubeObject>(
    resource: ResourceRef<T>,
    object: DeepReadonly<T>,
    options: WriteCallOptions = {},
  ): Promise<DeepReadonly<T>> {
    const namespace = options.namespace ?? object.metadata.namespace;
    const path = resourcePath(resource, { ...options, namespace }) + queryString(writeQuery(options));
    return this.#call({ method: "POST", path, body: json(object), signal: options.signal });
  }

  createSubresource(
    resource: ResourceRef<KubeObject>,
    name: string,
    subresource: string,
    body: unknown,
    options: WriteCallOptions = {},
  ): Promise<unknown> {
    const path = resourcePath(resource, { ...options, name: checkName(name), subresource }) + queryString(writeQuery(options));
    return this.#call({ method: "POST", path, body: json(body), signal: options.signal });
  }

  update<T extends KubeObject>(
    resource: ResourceRef<T>,
    object: DeepReadonly<T>,
    options: WriteCallOptions = {},
  ): Promise<DeepReadonly<T>> {
    const namespace = options.namespace ?? object.metadata.namespace;
    const name = checkName(object.metadata.name);
    const path = resourcePath(resource, { ...options, namespace, name }) + queryString(writeQuery(options));
    return this.#call({ method: "PUT", path, body: json(object), signal: options.signal });
  }

  patch<T extends KubeObject>(resource: ResourceRef<T>, name: string, patch: unknown, options: PatchCallOptions): Promise<DeepReadonly<T>> {
    const query = queryString({ ...writeQuery(options), force: options.force });
    const path = resourcePath(resource, { ...options, name: checkName(name) }) + query;
    // JSON is YAML too.
    const body = { contentType: options.type, text: JSON.stringify(patch) };
    return this.#call({ method: "PATCH", path, body, signal: options.signal });
  }

  async delete(resource: ResourceRef<KubeObject>, name: string, options: DeleteCallOptions = {}): Promise<void> {
    const path = resourcePath(resource, { ...options, name: checkName(name) });
    await this.#call({ method: "DELETE", path, ...deleteBody(options), signal: options.signal });
  }

  async deleteCollection(resource: ResourceRef<KubeObject>, options: DeleteCallOptions & ListCallOptions = {}): Promise<void> {
    const path = resourcePath(resource, options) + queryString(selectionQuery(options));
    await this.#call({ method: "DELETE", path, ...deleteBody(options), signal: options.signal });
  }

  async #call<R>(request: TransportRequest): Promise<R> {
    const response = await this.#transport.open({ ...request, silenceMs: this.#silenceMs });
    const bytes = await this.#transport.read(response, request.signal);
    return JSON.parse(bytes.toString()) as R;
  }
}

function readFrames<T extends KubeObject>(
  lines: readonly string[],
): { readonly events: readonly WatchEvent<T>[]; readonly error: StatusError | undefined } {
  const events: WatchEvent<T>[] = [];
  for (const line of lines) {
    const { type, object } = JSON.parse(line) as WatchFrame<T>;
    if (type === "ERROR") return { events, error: new StatusError(object as unknown as Status) };
    if (type !== "BOOKMARK") {
      events.push({ type, object });
      continue;
    }
    const { resourceVersion = "", annotations } = object.metadata;
    events.push({ type, resourceVersion, isInitialEventsEnd: annotations?.[INITIAL_EVENTS_END] === "true" });
  }
  return { events, error: undefined };
}

function selectionQuery(options: ListCallOptions): Record<string, QueryValue> {
  const { labelSelector, fieldSelector, limit, resourceVersion, resourceVersionMatch } = options;
  return { labelSelector, fieldSelector, limit, continue: options.continue, resourceVersion, resourceVersionMatch };
}

function writeQuery({ dryRun, fieldManager, fieldValidation }: WriteCallOptions): Record<string, QueryValue> {
  return { dryRun: dryRun === true ? "All" : undefined, fieldManager, fieldValidation };
}

function deleteBody({ options }: DeleteCallOptions): Pick<TransportRequest, "body"> {
  return options === undefined ? {} : { body: json({ kind: "DeleteOptions", apiVersion: "v1", ...options }) };
}

function json(value: unknown): { readonly contentType: string; readonly text: string } {
  return { contentType: "application/json", text: JSON.stringify(value) };
}

function checkName(name: string | undefined): string {
  if (name === undefined || name === "") throw badRequest("resource name may not be empty");
  return name;
}
