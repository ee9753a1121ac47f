export * from "./bind.ts";
export * from "./binding.ts";
export { findVolume, mismatch } from "./match.ts";
export * from "./pod-claims.ts";
