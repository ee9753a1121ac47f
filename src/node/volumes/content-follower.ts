// Follows the config maps and secrets that the volumes of running pods show, so that a change reaches them in a moment.
import { type ResourceRef, resources } from "../../api/index.ts";
import type { ConfigMap, Pod, Secret } from "../../api/types/core/v1.ts";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { type Client, Reflector, type ReflectorOutput } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

type Content = ConfigMap | Secret;

/** Where what was learned is kept for those who read the objects. */
export interface ContentStore {
  /** The object as it is now; undefined when there is none. */
  keep(
    resource: ResourceRef<Content>,
    at: { readonly namespace: string; readonly name: string },
    object: DeepReadonly<Content> | undefined,
  ): void;
  /** It is followed no longer: what is kept grows old. */
  release(resource: ResourceRef<Content>, at: { readonly namespace: string; readonly name: string }): void;
}

export interface ContentFollowerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: ContentStore;
  /** Something that the pod's volumes show has changed. */
  readonly onChange: (podUid: string) => void;
}

interface Followed {
  readonly resource: ResourceRef<Content>;
  readonly namespace: string;
  readonly name: string;
  readonly pods: Set<string>;
  readonly stop: AbortController;
  /** Undefined before the first answer, null when there is no such object. */
  version: string | null | undefined;
}

export class ContentFollower {
  readonly #options: ContentFollowerOptions;
  /** By resource, namespace and name; there as long as a pod's volume shows it. */
  readonly #followed = new Map<string, Followed>();

  constructor(options: ContentFollowerOptions) {
    this.#options = options;
  }

  /** Begins following what the pod's volumes show; harmless when it is followed already. */
  follow(pod: DeepReadonly<Pod>): void {
    const { uid = "", namespace = "" } = pod.metadata;
    for (const [resource, name] of shownBy(pod)) {
      const key = `${resource.resource}/${namespace}/${name}`;
      const known = this.#followed.get(key);
      if (known !== undefined) known.pods.add(uid);
      else this.#followed.set(key, this.#begin(uid, { resource, namespace, name }));
    }
  }

  /** The pod is gone: what only its volumes showed is followed no longer. */
  unfollow(podUid: string): void {
    for (const [key, followed] of this.#followed) {
      if (!followed.pods.delete(podUid) || followed.pods.size > 0) continue;
      this.#followed.delete(key);
      followed.stop.abort();
      this.#options.store.release(followed.resource, followed);
    }
  }

  stop(): void {
    for (const { stop } of this.#followed.values()) stop.abort();
    this.#followed.clear();
  }

  #begin(podUid: string, object: Pick<Followed, "resource" | "namespace" | "name">): Followed {
    const followed: Followed = { ...object, pods: new Set([podUid]), stop: new AbortController(), version: undefined };
    const { resource, namespace, name } = object;
    const selection = { namespace, fieldSelector: `metadata.name=${name}` };
    const sink = (output: ReflectorOutput<Content>) => this.#take(followed, output);
    void new Reflector<Content>({ ...this.#options, resource, selection, sink }).run(followed.stop.signal);
    return followed;
  }

  #take(followed: Followed, output: ReflectorOutput<Content>): void {
    if (output.type === "replace") this.#see(followed, output.objects[0]);
    for (const event of output.type === "apply" ? output.events : []) {
      if (event.type !== "BOOKMARK") this.#see(followed, event.type === "DELETED" ? undefined : event.object);
    }
  }

  #see(followed: Followed, object: DeepReadonly<Content> | undefined): void {
    const version = object?.metadata.resourceVersion ?? null;
    if (followed.version === version) return;
    followed.version = version;
    this.#options.store.keep(followed.resource, followed, object);
    // What cannot change need not be followed.
    if (object?.immutable === true) followed.stop.abort();
    // For the first answer too: it may be newer than what the volumes were made from.
    for (const uid of followed.pods) this.#options.onChange(uid);
  }
}

/** The config maps and secrets of the pod's volumes, by resource and name. */
function shownBy(pod: DeepReadonly<Pod>): readonly (readonly [ResourceRef<Content>, string])[] {
  const found: (readonly [ResourceRef<Content>, string])[] = [];
  const add = (resource: ResourceRef<Content>, name: string | undefined) => {
    if (name !== undefined && name !== "") found.push([resource, name]);
  };
  for (const { configMap, secret, projected } of pod.spec?.volumes ?? []) {
    add(resources.configmaps, configMap?.name);
    add(resources.secrets, secret?.secretName);
    for (const source of projected?.sources ?? []) {
      add(resources.configmaps, source.configMap?.name);
      add(resources.secrets, source.secret?.name);
    }
  }
  return found;
}
