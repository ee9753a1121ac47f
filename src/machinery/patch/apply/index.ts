export { type ApplyRequest, type ApplyResult, apply, type TrackUpdateRequest, trackUpdate } from "./apply.ts";
export { type ApplyConflict, ApplyConflictError } from "./conflicts.ts";
export type { FieldSet } from "./field-set.ts";
export { mergeConfiguration } from "./merge-configuration.ts";
