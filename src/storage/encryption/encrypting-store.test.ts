import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { MemoryStore } from "../memory/memory-store.ts";
import { storeSuite } from "../store.suite.ts";
import { AesGcmCipher, type ValueCipher } from "./cipher.ts";
import { EncryptingStore, type EncryptionRule } from "./encrypting-store.ts";

const cipher = (keyName: string, key: Uint8Array = randomBytes(32)) => new AesGcmCipher({ keyName, key, randomBytes });
const rule = (readers: readonly ValueCipher[], rest: Partial<EncryptionRule> = {}): EncryptionRule => {
  return { prefixes: ["/s/"], writer: readers[0], readers, acceptsPlain: false, ...rest };
};
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("latin1");

storeSuite("EncryptingStore", async () => {
  const clock = new VirtualClock();
  const store = new EncryptingStore(new MemoryStore({ clock }), [rule([cipher("one")], { prefixes: ["/"] })]);
  return { store, lifetimeSeconds: 60, pass: (durationMs) => clock.advance(durationMs), dispose: () => store.close() };
});

describe("EncryptingStore", () => {
  const first = cipher("first");
  const second = cipher("second");

  it("keeps values below its prefixes sealed, all others as they are", async () => {
    const inner = new MemoryStore({ clock: new VirtualClock() });
    const store = new EncryptingStore(inner, [rule([first])]);
    await store.create("/s/a", Buffer.from("password"));
    await store.create("/p/a", Buffer.from("clear"));
    assert.match(text((await inner.get("/s/a"))?.value), /^k8s:enc:aesgcm:v1:first:/);
    assert.doesNotMatch(text((await inner.get("/s/a"))?.value), /password/);
    assert.equal(text((await inner.get("/p/a"))?.value), "clear");
    assert.equal(text((await new EncryptingStore(inner, [rule([first])]).get("/s/a"))?.value), "password");
  });

  it("hands watchers the very bytes that were written, which are known to be parsed already", async () => {
    const store = new EncryptingStore(new MemoryStore({ clock: new VirtualClock() }), [rule([first])]);
    const abort = new AbortController();
    const events = store.watch("/s/", { signal: abort.signal })[Symbol.asyncIterator]();
    const next = events.next();
    const value = Buffer.from("password");
    await store.create("/s/a", value);
    const [event] = (await next).value ?? [];
    assert.equal(event?.type === "put" && event.entry.value, value);
    abort.abort();
  });

  it("reads what older keys have sealed, and seals it anew when asked to", async () => {
    const inner = new MemoryStore({ clock: new VirtualClock() });
    await inner.create("/s/plain", Buffer.from("1"));
    await new EncryptingStore(inner, [rule([first])]).create("/s/old", Buffer.from("2"));
    const store = new EncryptingStore(inner, [rule([second, first], { acceptsPlain: true })]);
    await store.create("/s/new", Buffer.from("3"));
    await store.create("/s/left", Buffer.from("4"));
    assert.deepEqual(
      (await store.range("/s/")).entries.map(({ value }) => text(value)),
      ["4", "3", "2", "1"],
    );
    assert.equal(await store.rewriteStale(), 2);
    assert.equal(await store.rewriteStale(), 0);
    const alone = new EncryptingStore(inner, [rule([second])]);
    assert.deepEqual(
      (await alone.range("/s/")).entries.map(({ value }) => text(value)),
      ["4", "3", "2", "1"],
    );
  });

  it("decrypts when it is told to write in clear again", async () => {
    const inner = new MemoryStore({ clock: new VirtualClock() });
    await new EncryptingStore(inner, [rule([first])]).create("/s/a", Buffer.from("1"));
    await new EncryptingStore(inner, [rule([first], { writer: undefined, acceptsPlain: true })]).rewriteStale();
    assert.equal(text((await inner.get("/s/a"))?.value), "1");
  });

  it("refuses a value whose key is missing, and says which", async () => {
    const inner = new MemoryStore({ clock: new VirtualClock() });
    await new EncryptingStore(inner, [rule([first])]).create("/s/a", Buffer.from("1"));
    await assert.rejects(new EncryptingStore(inner, [rule([second])]).get("/s/a"), {
      code: "SEALED_VALUE",
      message: /^\/s\/a is encrypted with aesgcm:v1:first, which the encryption configuration does not have/,
    });
  });

  it("refuses a value in clear where there may be none", async () => {
    const inner = new MemoryStore({ clock: new VirtualClock() });
    await inner.create("/s/a", Buffer.from("smuggled in"));
    await assert.rejects(new EncryptingStore(inner, [rule([first])]).get("/s/a"), /is not encrypted/);
  });

  it("refuses a value that was changed, moved to another place, cut off or sealed with another key of that name", async () => {
    const sealed = first.seal("/s/a", Buffer.from("1"));
    const changed = Uint8Array.from(sealed, (byte, at) => (at === sealed.length - 20 ? byte ^ 1 : byte));
    const forged = cipher("first").seal("/s/a", Buffer.from("1"));
    for (const [key, value] of [
      ["/s/a", changed],
      ["/s/b", sealed],
      ["/s/a", sealed.subarray(0, first.prefix.byteLength + 20)],
      ["/s/a", forged],
    ] as const) {
      const inner = new MemoryStore({ clock: new VirtualClock() });
      await inner.create(key, value);
      await assert.rejects(new EncryptingStore(inner, [rule([first])]).range("/"), /cannot be decrypted/);
    }
  });

  it("takes keys of 16, 24 and 32 bytes only", () => {
    for (const bytes of [16, 24, 32]) {
      const made = cipher("k", randomBytes(bytes));
      assert.equal(text(made.open("/s/a", made.seal("/s/a", Buffer.from("1")))), "1");
    }
    assert.throws(() => cipher("k", randomBytes(20)), /has 20 bytes, not 16, 24 or 32/);
  });
});
