// Ciphers for stored values. A sealed value names its cipher and key in clear, so that keys can be replaced one after the other.
import { createCipheriv, createDecipheriv } from "node:crypto";

export interface ValueCipher {
  /** The bytes that every value sealed by it begins with; no other cipher's value does. */
  readonly prefix: Uint8Array;
  /** Seals `plain` for one place in the store. */
  seal(place: string, plain: Uint8Array): Uint8Array;
  /** Throws when `sealed` was changed, was sealed with another key, or for another place. */
  open(place: string, sealed: Uint8Array): Uint8Array;
}

/** What all sealed values begin with; values in clear are JSON and begin with a brace. */
export const SEALED_MARK = "k8s:enc:";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const algorithms = { 16: "aes-128-gcm", 24: "aes-192-gcm", 32: "aes-256-gcm" } as const;

export interface AesGcmOptions {
  /** Stands in the value's head. */
  readonly keyName: string;
  /** 16, 24 or 32 bytes. */
  readonly key: Uint8Array;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** AES-GCM with a random nonce: head, nonce, ciphertext, tag. Its place in the store is authenticated with the value. */
export class AesGcmCipher implements ValueCipher {
  readonly prefix: Buffer;
  readonly #options: AesGcmOptions;
  readonly #algorithm: (typeof algorithms)[keyof typeof algorithms];

  constructor(options: AesGcmOptions) {
    const algorithm = Object.entries(algorithms).find(([bytes]) => Number(bytes) === options.key.byteLength)?.[1];
    if (algorithm === undefined) throw new RangeError(`the key ${options.keyName} has ${options.key.byteLength} bytes, not 16, 24 or 32`);
    this.#algorithm = algorithm;
    this.#options = options;
    this.prefix = Buffer.from(`${SEALED_MARK}aesgcm:v1:${options.keyName}:`);
  }

  seal(place: string, plain: Uint8Array): Uint8Array {
    const nonce = this.#options.randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(this.#algorithm, this.#options.key, nonce).setAAD(Buffer.from(place));
    const text = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([this.prefix, nonce, text, cipher.getAuthTag()]);
  }

  open(place: string, sealed: Uint8Array): Uint8Array {
    const textAt = this.prefix.byteLength + NONCE_BYTES;
    const tagAt = sealed.byteLength - TAG_BYTES;
    if (tagAt < textAt) throw new RangeError("the value is cut off");
    const decipher = createDecipheriv(this.#algorithm, this.#options.key, sealed.subarray(this.prefix.byteLength, textAt))
      .setAAD(Buffer.from(place))
      .setAuthTag(sealed.subarray(tagAt));
    return Buffer.concat([decipher.update(sealed.subarray(textAt, tagAt)), decipher.final()]);
  }
}
