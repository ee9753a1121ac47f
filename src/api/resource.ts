// A resource at work: its row of the table, its type's facts and its kind's strategy.
import type { KubeObject, TypeFacts } from "../machinery/index.ts";
import type { ResourceRow, SubresourceRow } from "./schema/table.ts";
import type { KindStrategy } from "./strategy.ts";

export interface Resource<T extends KubeObject = KubeObject> extends ResourceRow {
  /** `v1`, or `apps/v1`. */
  readonly apiVersion: string;
  readonly listKind: string;
  readonly singular: string;
  readonly facts: TypeFacts;
  readonly strategy: KindStrategy<T>;
  readonly subresources: Readonly<Record<string, SubresourceRow>>;
  /**
   * Where objects are kept, when that is another version or group of the same kind (autoscaling/v1 in autoscaling/v2,
   * events.k8s.io in core).
   */
  readonly storedAs?: { readonly resource: Resource; toStored(object: T): KubeObject; fromStored(object: KubeObject): T };
}

/** Names a resource and, for the type checker, the type of its objects. See `resources` (`resources.pods`, …). */
export interface ResourceRef<T extends KubeObject> {
  readonly group: string;
  readonly version: string;
  /** The plural. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set; carries the type. */
  readonly objectType?: T;
}
