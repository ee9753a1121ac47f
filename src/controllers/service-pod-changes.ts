// Which pods of each service changed since a controller looked at it last: what is behind the others it knows already.
import type { Pod, Service } from "../api/types/core/v1.ts";
import type { Informer } from "../client/index.ts";
import { type DeepReadonly, objectKey } from "../machinery/index.ts";
import { onServicePodChanges, serviceSelector } from "./service-pods.ts";

export interface ChangedPods {
  /** Names of all that may have changed; undefined: any may. */
  readonly names: ReadonlySet<string> | undefined;
  /** Those of them that the service selects. */
  readonly pods: readonly DeepReadonly<Pod>[];
  /** How many pods this has gone through. */
  readonly looks: number;
}

export class ServicePodChanges {
  /** By service, names of pods. A service without an entry is to be looked at as a whole. */
  readonly #names = new Map<string, Set<string>>();
  readonly #pods: Informer<Pod>;

  /** `changed` is told the key of every service that has to be looked at. */
  constructor(services: Informer<Service>, pods: Informer<Pod>, changed: (key: string) => void) {
    this.#pods = pods;
    onServicePodChanges(services, pods, (key, podName) => {
      this.#names.get(key)?.add(podName);
      changed(key);
    });
  }

  /** What changed since the last call for the service; from now on what changes after this one is noted. */
  take(service: DeepReadonly<Service>): ChangedPods {
    const key = objectKey(service);
    const names = this.#names.get(key);
    this.#names.set(key, new Set());
    const { namespace = "" } = service.metadata;
    const { lister } = this.#pods;
    const candidates = names === undefined ? lister.list(namespace) : [...names].flatMap((name) => lister.get(namespace, name) ?? []);
    const selector = serviceSelector(service);
    const pods = candidates.filter(({ metadata }) => selector?.matches(metadata.labels) === true);
    return { names, pods, looks: candidates.length };
  }

  /** What was known of the service does not hold: all of it is looked at next. */
  forget(key: string): void {
    this.#names.delete(key);
  }
}
