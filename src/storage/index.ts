export { AesGcmCipher, type AesGcmOptions, type ValueCipher } from "./encryption/cipher.ts";
export { EncryptingStore, type EncryptionRule } from "./encryption/encrypting-store.ts";
export * from "./errors.ts";
export type { EtcdStoreOptions } from "./etcd/etcd-store.ts";
export { openEtcdStore } from "./etcd/open-etcd-store.ts";
export { type CopiedEntry, type LmdbCopy, readLmdbFile, writeLmdbFile } from "./lmdb/lmdb-copy.ts";
export { isFailedCommit, LmdbStore } from "./lmdb/lmdb-store.ts";
export { MemoryStore } from "./memory/memory-store.ts";
export * from "./store.ts";
