// The resources that the garbage collector follows: which they are, and the informer of each.
import type { ResourceRef } from "../../api/index.ts";
import type { Informer, InformerSource } from "../../client/index.ts";
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";
import { apiVersionOf, type GraphChange, type OwnerGraph } from "./owner-graph.ts";

/** Many, short-lived and nobody's owners: upstream ignores them too. */
const isEvents = ({ group, resource }: ResourceRef<KubeObject>) => resource === "events" && (group === "" || group === "events.k8s.io");

const idOf = ({ group, resource }: ResourceRef<KubeObject>) => `${resource}.${group}`;

interface Monitor {
  readonly resource: ResourceRef<KubeObject>;
  readonly informer: Informer<KubeObject>;
  readonly stop: () => void;
}

export interface MonitorsOptions {
  readonly informers: InformerSource;
  readonly graph: OwnerGraph;
  readonly onChange: (change: GraphChange) => void;
}

export class Monitors {
  /** By group and plural: one version of each, since all show the same objects. */
  readonly #monitors = new Map<string, Monitor>();
  /** By apiVersion and kind, in all versions. */
  #kinds = new Map<string, ResourceRef<KubeObject>>();
  readonly #options: MonitorsOptions;

  constructor(options: MonitorsOptions) {
    this.#options = options;
  }

  resourceOf(apiVersion: string, kind: string): ResourceRef<KubeObject> | undefined {
    return this.#kinds.get(`${apiVersion} ${kind}`);
  }

  isFollowed(resource: ResourceRef<KubeObject>): boolean {
    return this.#monitors.has(idOf(resource));
  }

  cached(resource: ResourceRef<KubeObject>, namespace: string, name: string): DeepReadonly<KubeObject> | undefined {
    return this.#monitors.get(idOf(resource))?.informer.lister.get(namespace, name);
  }

  /** Follows `resources` and no others; the informers of new ones are made, not started. */
  follow(resources: readonly ResourceRef<KubeObject>[]): void {
    this.#kinds = new Map(resources.map((resource) => [`${apiVersionOf(resource)} ${resource.kind}`, resource]));
    const wanted = this.#oneVersionEach(resources);
    for (const [id, monitor] of this.#monitors) if (wanted.get(id)?.version !== monitor.resource.version) this.#drop(id, monitor);
    for (const [id, resource] of wanted) if (!this.#monitors.has(id)) this.#monitors.set(id, this.#monitor(resource));
  }

  /** The version that is followed already, else the first. */
  #oneVersionEach(resources: readonly ResourceRef<KubeObject>[]): ReadonlyMap<string, ResourceRef<KubeObject>> {
    const chosen = new Map<string, ResourceRef<KubeObject>>();
    for (const resource of resources) {
      if (isEvents(resource)) continue;
      const id = idOf(resource);
      if (!chosen.has(id) || this.#monitors.get(id)?.resource.version === resource.version) chosen.set(id, resource);
    }
    return chosen;
  }

  #monitor(resource: ResourceRef<KubeObject>): Monitor {
    const { informers, graph, onChange } = this.#options;
    const informer = informers.informer(resource);
    const observe = ({ metadata }: DeepReadonly<KubeObject>) => {
      const { namespace = "", name = "" } = metadata;
      onChange(graph.observe({ resource, namespace, name }, metadata));
    };
    const stop = informer.onChange({
      added: observe,
      updated: (old, object) => {
        if (mayMatter(old) || mayMatter(object)) observe(object);
      },
      deleted: ({ metadata }) => onChange(graph.forget(metadata.uid ?? "")),
    });
    return { resource, informer, stop };
  }

  /** The resource is not served any more: its objects are gone, or will be seen in another version. */
  #drop(id: string, { resource, informer, stop }: Monitor): void {
    const { graph, informers, onChange } = this.#options;
    stop();
    informers.release(resource);
    this.#monitors.delete(id);
    for (const { metadata } of informer.lister.list()) onChange(graph.forget(metadata.uid ?? ""));
  }
}

/** Whether the graph could be told anything by the object beyond that it is there. */
function mayMatter({ metadata }: DeepReadonly<KubeObject>): boolean {
  return metadata.ownerReferences !== undefined || metadata.deletionTimestamp !== undefined;
}
