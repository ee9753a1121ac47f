// Reads and sets the size of whatever has a scale subresource, by the kind that a reference names.
import type { ResourceRef } from "../api/index.ts";
import type { Scale } from "../api/types/autoscaling/v1.ts";
import type { Client } from "../client/index.ts";
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";

export interface ScaleTarget {
  readonly apiVersion?: string | undefined;
  readonly kind: string;
  readonly name: string;
}

/** The server serves no such kind. */
export class UnknownKindError extends Error {
  readonly code = "UNKNOWN_KIND";
}

export class ScaleClient {
  readonly #client: Client;
  readonly #resources: () => readonly ResourceRef<KubeObject>[];

  /** `resources`: every resource there is, each in one version. */
  constructor(client: Client, resources: () => readonly ResourceRef<KubeObject>[]) {
    this.#client = client;
    this.#resources = resources;
  }

  async get(namespace: string, target: ScaleTarget, signal: AbortSignal): Promise<DeepReadonly<Scale>> {
    const options = { namespace, signal, subresource: "scale" };
    return (await this.#client.get(this.#resourceOf(target), target.name, options)) as DeepReadonly<Scale>;
  }

  async set(namespace: string, target: ScaleTarget, scale: DeepReadonly<Scale>, signal: AbortSignal): Promise<void> {
    await this.#client.update(this.#resourceOf(target), scale, { namespace, signal, subresource: "scale" });
  }

  #resourceOf({ apiVersion = "v1", kind }: ScaleTarget): ResourceRef<KubeObject> {
    const [first = "", version] = apiVersion.split("/");
    const group = version === undefined ? "" : first;
    const found = this.#resources().find((resource) => resource.group === group && resource.kind === kind);
    if (found === undefined) throw new UnknownKindError(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
    return found;
  }
}
