// An API server over the memory store for tests: virtual time, a seed, and short calls.
import { builtInCatalog, type RequestScope, type Stored, type StoredWatchEvent, type UncheckedObject } from "../../../api/index.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../../base/index.ts";
import type { DeleteOptions } from "../../../machinery/index.ts";
import { MemoryStore } from "../../../storage/index.ts";
import { ApiServerCore, type ApiServerCoreOptions } from "../../api-handler.ts";
import { allowAll } from "../../authz/authorizer.ts";

export interface Place {
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly signal?: AbortSignal;
}

/** A started server; `stop` ends its watches. */
export class CoreFixture implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly catalog = builtInCatalog();
  readonly warnings: string[] = [];
  /** Of the requests' audit events. */
  readonly annotations: Record<string, string> = {};
  readonly core: ApiServerCore;
  readonly #abort = new AbortController();

  constructor(options: Partial<ApiServerCoreOptions> = {}) {
    this.core = new ApiServerCore({
      store: this.store,
      catalog: this.catalog,
      clock: this.clock,
      random: new SeededRandom(7),
      logger: silentLogger,
      authorizer: allowAll,
      deepFreezes: true,
      ...options,
    });
  }

  readonly #annotate = (key: string, value: string): void => {
    this.annotations[key] ??= value;
  };

  static async start(options: Partial<ApiServerCoreOptions> = {}): Promise<CoreFixture> {
    const fixture = new CoreFixture(options);
    await fixture.core.start(fixture.#abort.signal);
    return fixture;
  }

  /** `path` is `pods`, or `apps/v1/deployments`. */
  scope(path: string, { namespace = "default", name = "", subresource = "", signal }: Place = {}): RequestScope {
    const [group = "", version = "v1", plural = path] = path.includes("/") ? path.split("/") : ["", "v1", path];
    const resource = this.catalog.find(group, version, plural);
    if (resource === undefined) throw new Error(`no resource ${path}`);
    const user = { name: "alice", groups: ["system:authenticated"] };
    const place = { namespace: resource.namespaced ? namespace : "", name, subresource, signal };
    return { user, resource, ...place, fieldManager: "test", warn: (text) => this.warnings.push(text), annotate: this.#annotate };
  }

  create(path: string, object: object, place: Place = {}): Promise<Stored> {
    return this.core.create(this.scope(path, place), object as UncheckedObject, {});
  }

  get(path: string, name: string, place: Place = {}): Promise<Stored> {
    return this.core.get(this.scope(path, { ...place, name }), {});
  }

  async update(path: string, object: { metadata: { name?: string | undefined } }, place: Place = {}): Promise<Stored> {
    const scope = this.scope(path, { ...place, name: object.metadata.name ?? "" });
    return (await this.core.update(scope, object as UncheckedObject, {})).stored;
  }

  delete(path: string, name: string, options: DeleteOptions = {}, place: Place = {}) {
    return this.core.delete(this.scope(path, { ...place, name }), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.store.close();
  }
}

export function configMap(name: string, data: Record<string, string> = {}, metadata: object = {}): UncheckedObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data };
}

/** One line for each event: `ADDED a`, `BOOKMARK 12 end`. */
export function describeEvents(events: readonly StoredWatchEvent[]): string[] {
  return events.map((event) => {
    if (event.type === "ERROR") return `ERROR ${event.status.code}`;
    if (event.type === "BOOKMARK") return `BOOKMARK${event.isInitialEventsEnd ? " end" : ""}`;
    return `${event.type} ${event.stored.object.metadata.name}`;
  });
}
