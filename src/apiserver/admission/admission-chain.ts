// Runs the plugins that care about a resource, in order.
import type { Resource } from "../../api/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { MutationPass } from "./mutation-pass.ts";

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #byResource = new WeakMap<Resource, readonly AdmissionPlugin[]>();

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async mutate(request: AdmissionRequest): Promise<void> {
    const pass = new MutationPass();
    do {
      for (const plugin of this.#pluginsOf(request.scope.resource)) {
        const pending = plugin.mutate?.(request, pass);
        if (pending !== undefined) await pending;
      }
    } while (pass.beginReinvocation());
  }

  /** Whether `mutate` may change the object. */
  mayMutate(request: AdmissionRequest): boolean {
    return this.#pluginsOf(request.scope.resource).some((plugin) => plugin.mutate !== undefined && plugin.mayMutate?.(request) !== false);
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#pluginsOf(request.scope.resource)) {
      const pending = plugin.validate?.(request);
      if (pending !== undefined) await pending;
    }
  }

  #pluginsOf(resource: Resource): readonly AdmissionPlugin[] {
    let plugins = this.#byResource.get(resource);
    if (plugins === undefined) {
      const id = `${resource.group}/${resource.resource}`;
      plugins = this.#plugins.filter((plugin) => plugin.resources?.includes(id) ?? true);
      this.#byResource.set(resource, plugins);
    }
    return plugins;
  }
}
