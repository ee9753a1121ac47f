// A resource at work: its row of the table, its type's facts and its kind's strategy.
import type { FieldReport, KubeObject, TypeFacts } from "../machinery/index.ts";
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
  /** How objects are kept, where that is not simply as they are shown. */
  readonly storedAs?: StoredForm<T>;
  /** Takes from a client's object, a private draft, what its type does not know. Absent: by `facts`. */
  prune?(object: Record<string, unknown>): FieldReport;
  /** The type in the words of OpenAPI, where `facts` do not say all of it. */
  readonly openApiSchema?: Readonly<Record<string, unknown>>;
  /** Aborted when the resource is not served any more: watches end. */
  readonly served?: AbortSignal;
  /** A warning for everyone who asks for the resource. */
  readonly deprecationWarning?: string;
}

/** The way between an object as it is stored and as a resource shows it. Functions get private copies. */
export interface StoredForm<T extends KubeObject = KubeObject> {
  /**
   * The other resource in whose version and group objects are kept (autoscaling/v1 in autoscaling/v2, events.k8s.io in core).
   * Absent: kept under this resource, but what was written earlier may need to be changed for today's readers.
   */
  readonly resource?: Resource;
  toStored(object: T): KubeObject | Promise<KubeObject>;
  fromStored(object: KubeObject): T | Promise<T>;
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
