export * from "./equality.ts";
export * from "./field-error.ts";
export * from "./meta/object.ts";
export type * from "./meta/types.ts";
export * from "./meta-validation.ts";
export * from "./names.ts";
export * from "./schema.ts";
export * from "./status-error.ts";
