export * from "./errors.ts";
export { LmdbStore } from "./lmdb/lmdb-store.ts";
export { MemoryStore } from "./memory/memory-store.ts";
export * from "./store.ts";
