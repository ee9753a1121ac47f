// How many watchers hear of a write: those of its resource that look at its namespace and its name. Watches of requests only; those
// within this process cost next to nothing.
import type { RequestInfo } from "../front/request-info.ts";
import { nameSelectedBy } from "../registry/selection.ts";

export type Watched = Pick<RequestInfo, "group" | "resource" | "namespace" | "name" | "query">;

export class WatchTracker {
  /** Watches by place, which is a namespace and a name, by resource. */
  readonly #counts = new Map<string, Map<string, number>>();

  /** A watch has come; answers what to call when it is gone. */
  begin(watched: Watched): () => void {
    const selector = watched.query?.get("fieldSelector") ?? "";
    // Every node watches its own pods: of one pod's events hardly any of them hears.
    if (selector.includes("spec.nodeName=")) return () => {};
    const place = placeOf(watched.namespace, nameSelectedBy(selector) ?? watched.name);
    const counts = this.#countsOf(watched);
    counts.set(place, (counts.get(place) ?? 0) + 1);
    return () => {
      const left = (counts.get(place) ?? 0) - 1;
      if (left > 0) counts.set(place, left);
      else counts.delete(place);
    };
  }

  /** Those that an event of the object that is written will be sent to. */
  interested(written: Watched): number {
    const counts = this.#counts.get(resourceOf(written));
    if (counts === undefined || counts.size === 0) return 0;
    const { namespace, name } = written;
    const places = new Set([placeOf("", ""), placeOf(namespace, ""), placeOf("", name), placeOf(namespace, name)]);
    let count = 0;
    for (const place of places) count += counts.get(place) ?? 0;
    return count;
  }

  #countsOf(watched: Watched): Map<string, number> {
    const resource = resourceOf(watched);
    let counts = this.#counts.get(resource);
    if (counts === undefined) this.#counts.set(resource, (counts = new Map()));
    return counts;
  }
}

function resourceOf({ group, resource }: Watched): string {
  return `${group}/${resource}`;
}

/** "" is every one. */
function placeOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
