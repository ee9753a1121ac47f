export * from "./field-error.ts";
export * from "./meta/object.ts";
export type * from "./meta/types.ts";
export * from "./schema.ts";
export * from "./status-error.ts";
