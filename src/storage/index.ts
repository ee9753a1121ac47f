export * from "./errors.ts";
export { MemoryStore } from "./memory/memory-store.ts";
export * from "./store.ts";
