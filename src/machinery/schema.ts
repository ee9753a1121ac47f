// Facts about a type's fields, from which everything generic works: strict decoding, patches, server-side apply,
// protobuf, OpenAPI. The API table provides them for built-in kinds, a CRD's schema for custom ones.

export type ScalarType =
  | "string"
  | "int32"
  | "int64"
  | "double"
  | "boolean"
  | "bytes"
  | "time"
  | "microTime"
  | "quantity"
  | "intOrString"
  | "any";

export type FieldType =
  | { readonly kind: "scalar"; readonly scalar: ScalarType }
  | { readonly kind: "object"; readonly type: TypeFacts }
  | { readonly kind: "list"; readonly items: FieldType }
  | { readonly kind: "map"; readonly values: FieldType };

export interface FieldFacts {
  /** The JSON name. */
  readonly name: string;
  readonly type: FieldType;
  readonly isRequired: boolean;
  /** x-kubernetes-list-type: how server-side apply merges a list. Absent means atomic. */
  readonly listType?: "atomic" | "set" | "map";
  readonly listMapKeys?: readonly string[];
  /** x-kubernetes-map-type; absent means granular. */
  readonly mapType?: "granular" | "atomic";
  /** x-kubernetes-patch-strategy: how a strategic merge patch treats the field. */
  readonly patchStrategy?: readonly ("merge" | "replace" | "retainKeys")[];
  readonly patchMergeKey?: string;
  /** What a list's key takes when an element leaves it out. */
  readonly defaultValue?: unknown;
  /** 0 and false say the same as leaving the field out, and are left out. */
  readonly isOmittedWhenZero?: boolean;
  readonly protobufNumber?: number;
  /** Numbers of the messages, from the outside in, that have the field in protobuf while JSON shows it as the type's own. */
  readonly protobufEmbeddedIn?: readonly number[];
  /** A field of JSON schemas that holds a schema (field 1 of a message), or else a list of schemas, a boolean, strings. */
  readonly protobufUnion?: "list" | "boolean" | "strings";
}

export interface TypeFacts {
  /** Such as `core.v1.Pod`. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldFacts>;
  /** Whether objects may have fields beyond these; what they are is read off their values. */
  readonly isOpen?: boolean;
}
