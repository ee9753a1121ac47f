// How keys and entries look in etcd: our keys below a prefix, revisions as decimal texts.
import type { IKeyValue } from "etcd3";
import type { StoreEntry } from "../store.ts";

export class EtcdKeys {
  readonly #prefix: string;

  /** `prefix` is "" or such as `/k8ts`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  of(key: string): Buffer {
    return Buffer.from(this.#prefix + key);
  }

  /** The first key behind all that start with `prefix`. */
  endOf(prefix: string): Buffer {
    const end = this.of(prefix);
    for (let last = end.length - 1; last >= 0; last--) {
      const byte = end[last] ?? 0;
      if (byte === 0xff) continue;
      end[last] = byte + 1;
      return end.subarray(0, last + 1);
    }
    // All keys.
    return Buffer.from([0]);
  }

  /** The key as the store's users know it; undefined for keys of others in the same etcd. */
  nameOf(key: Buffer): string | undefined {
    const text = key.toString("utf8");
    return text.startsWith(`${this.#prefix}/`) ? text.slice(this.#prefix.length) : undefined;
  }

  entry({ key, value, create_revision, mod_revision }: IKeyValue): StoreEntry {
    const text = key.toString("utf8").slice(this.#prefix.length);
    return { key: text, value, createRevision: Number(create_revision), modRevision: Number(mod_revision) };
  }
}

/** The start of a range that excludes `key`. */
export function justAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])]);
}
