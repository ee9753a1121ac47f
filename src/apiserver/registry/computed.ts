// Resources that are made when they are asked for and stand in no store.
import type { ListOptions, RequestScope, Resource, Stored, StoredList } from "../../api/index.ts";
import { type DeepReadonly, type KubeObject, notFound } from "../../machinery/index.ts";
import { parseSelection } from "./selection.ts";
import { answer } from "./subresources/subresource.ts";

/** Which objects are asked for. */
export interface ComputedQuery {
  /** "" for all namespaces. */
  readonly namespace: string;
  /** "" for all names. */
  readonly name: string;
  /** Judges by metadata; absent: all match. */
  readonly matches?: ((object: DeepReadonly<KubeObject>) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ComputedSource {
  /** The objects that exist now, by namespace and name; it may leave `matches` to its caller. */
  objects(query: ComputedQuery): Promise<readonly KubeObject[]>;
}

export class ComputedResources {
  readonly #sources: ReadonlyMap<string, ComputedSource>;

  /** By `group/plural`. */
  constructor(sources: ReadonlyMap<string, ComputedSource>) {
    this.#sources = sources;
  }

  of({ group, resource }: Pick<Resource, "group" | "resource">): ComputedSource | undefined {
    return this.#sources.get(`${group}/${resource}`);
  }
}

export async function getComputed(source: ComputedSource, { resource, namespace, name, signal }: RequestScope): Promise<Stored> {
  const [object] = await source.objects({ namespace, name, signal });
  if (object === undefined) throw notFound(resource, name);
  return answer(object);
}

/** All at once: `limit` and revisions mean nothing for what is not stored. */
export async function listComputed(source: ComputedSource, scope: RequestScope, options: ListOptions): Promise<StoredList> {
  const { namespace, signal } = scope;
  const selection = parseSelection(scope.resource, options);
  const matcher = selection.matches;
  const matches = matcher === undefined ? undefined : (object: DeepReadonly<KubeObject>) => matcher({ object });
  const objects = await source.objects({ namespace, name: selection.name ?? "", matches, signal });
  const items = matches === undefined ? objects : objects.filter((object) => matches(object as DeepReadonly<KubeObject>));
  return { items: items.map(answer), resourceVersion: "" };
}
