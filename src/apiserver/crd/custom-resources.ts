// Follows the CustomResourceDefinitions that are stored, and keeps the catalog in step with them: a definition that becomes
// Established is served, one that changes is served anew, one that is gone ends its watches.
import type { GrowingCatalog, Resource } from "../../api/index.ts";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import type { Logger, Random } from "../../base/index.ts";
import { deepEqual } from "../../machinery/index.ts";
import { draftOf } from "../registry/draft.ts";
import type { CacheEntry } from "../watch-cache/cache-entry.ts";
import type { ResourceCache } from "../watch-cache/resource-cache.ts";
import { Converter, type WebhookCaller } from "./conversion.ts";
import { isEstablished, isTerminating, servedResources } from "./served-resources.ts";

export const DEFINITIONS_PREFIX = "/registry/apiextensions.k8s.io/customresourcedefinitions/";

export interface CustomResourcesOptions {
  readonly catalog: GrowingCatalog;
  readonly random: Random;
  readonly logger: Logger;
  readonly webhooks: WebhookCaller | undefined;
}

/** What of a definition decides how it is served: the form of its objects, and whether they are being deleted. */
interface Decisive {
  readonly form: unknown;
  readonly isTerminating: boolean;
}

/** A definition that is served. */
interface Served {
  readonly decisive: Decisive;
  readonly resources: readonly Resource[];
  /** Ends the watches. */
  readonly end: AbortController;
}

export class CustomResources {
  readonly #options: CustomResourcesOptions;
  /** By key in the store. */
  readonly #served = new Map<string, Served>();

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
  }

  /** Serves what is established in `definitions` now, and follows it from then on. */
  follow(definitions: ResourceCache): void {
    for (const entry of definitions.entries(DEFINITIONS_PREFIX)) this.#look(entry.key, entry);
    this.#publish();
    definitions.listen(({ key, current }) => {
      if (this.#look(key, current)) this.#publish();
    });
  }

  /** Whether anything is served otherwise than before. */
  #look(key: string, entry: CacheEntry | undefined): boolean {
    const known = this.#served.get(key);
    const definition = entry?.object as CustomResourceDefinition | undefined;
    if (definition === undefined || !isEstablished(definition)) return this.#drop(key, known);
    const form = { spec: definition.spec, acceptedNames: definition.status?.acceptedNames };
    const decisive = { form, isTerminating: isTerminating(definition) };
    if (known !== undefined && deepEqual(known.decisive, decisive)) return false;
    const end = this.#endOf(known, form);
    this.#served.set(key, {
      decisive,
      end,
      resources: this.#resourcesOf(draftOf(definition) as unknown as CustomResourceDefinition, end.signal),
    });
    return true;
  }

  /** Watches end when the form changes: they show objects in the form that they began with. */
  #endOf(known: Served | undefined, form: unknown): AbortController {
    if (known !== undefined && deepEqual(known.decisive.form, form)) return known.end;
    known?.end.abort();
    return new AbortController();
  }

  #resourcesOf(definition: CustomResourceDefinition, served: AbortSignal): readonly Resource[] {
    const { webhooks, random, logger } = this.#options;
    const { group, names, conversion } = definition.spec;
    try {
      const converter = new Converter({ conversion, kind: names.kind, group, webhooks, random });
      return servedResources(definition, { converter, served });
    } catch (error) {
      // Validation lets nothing through that fails here; a store may hold what an older version let through.
      logger.error("a custom resource cannot be served", { definition: definition.metadata.name, error });
      return [];
    }
  }

  #drop(key: string, known: Served | undefined): boolean {
    known?.end.abort();
    return this.#served.delete(key);
  }

  #publish(): void {
    this.#options.catalog.setCustom([...this.#served.values()].flatMap(({ resources }) => resources));
  }
}
