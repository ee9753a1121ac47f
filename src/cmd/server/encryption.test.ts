import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { stringify } from "yaml";
import { VirtualClock } from "../../base/index.ts";
import { EncryptingStore, MemoryStore } from "../../storage/index.ts";
import { parseEncryptionConfiguration } from "./encryption.ts";

const key = (name: string, bytes = 32) => ({ name, secret: randomBytes(bytes).toString("base64") });
const configuration = (...resources: object[]) =>
  parseEncryptionConfiguration(
    stringify({ kind: "EncryptionConfiguration", apiVersion: "apiserver.config.k8s.io/v1", resources }),
    randomBytes,
  );

test("the first provider writes, all of them read", () => {
  const [rule] = configuration({ resources: ["secrets"], providers: [{ aesgcm: { keys: [key("new"), key("old")] } }, { identity: {} }] });
  assert.deepEqual(rule?.prefixes, ["/registry/core/secrets/"]);
  assert.equal(Buffer.from(rule?.writer?.prefix ?? []).toString(), "k8s:enc:aesgcm:v1:new:");
  assert.equal(rule?.readers.length, 2);
  assert.equal(rule?.acceptsPlain, true);
});

test("identity in front writes in clear and still reads what was encrypted", () => {
  const [rule] = configuration({ resources: ["secrets"], providers: [{ identity: {} }, { aesgcm: { keys: [key("old")] } }] });
  assert.deepEqual([rule?.writer, rule?.readers.length, rule?.acceptsPlain], [undefined, 1, true]);
});

test("resources are named with their group, or all of a group", async () => {
  const providers = [{ aesgcm: { keys: [key("k")] } }];
  const [rule] = configuration({ resources: ["secrets", "deployments.apps", "*.batch", "*.", "*.*"], providers });
  const prefixes = ["/registry/core/secrets/", "/registry/apps/deployments/", "/registry/batch/", "/registry/core/", "/registry/"];
  assert.deepEqual(rule?.prefixes, prefixes);
});

test("of two entries for a resource the first decides", async () => {
  const inner = new MemoryStore({ clock: new VirtualClock() });
  const all = { resources: ["*.*"], providers: [{ aesgcm: { keys: [key("k")] } }] };
  const store = new EncryptingStore(inner, configuration({ resources: ["events"], providers: [{ identity: {} }] }, all));
  await store.create("/registry/core/events/default/e", Buffer.from("{}"));
  await store.create("/registry/core/pods/default/p", Buffer.from("{}"));
  const { entries } = await inner.range("/registry/");
  assert.deepEqual(
    entries.map(({ value }) => Buffer.from(value).toString("latin1").startsWith("k8s:enc:")),
    [false, true],
  );
});

test("what cannot be followed is refused with a sentence that says why", () => {
  const refuses = (message: RegExp, ...resources: object[]) => assert.throws(() => configuration(...resources), message);
  refuses(/"kms" is not supported: use aesgcm, or identity/, { resources: ["secrets"], providers: [{ kms: { name: "x" } }] });
  refuses(/needs resources and providers/, { resources: ["secrets"], providers: [] });
  refuses(/aesgcm needs keys/, { resources: ["secrets"], providers: [{ aesgcm: {} }] });
  refuses(/a name without ":"/, { resources: ["secrets"], providers: [{ aesgcm: { keys: [key("a:b")] } }] });
  refuses(/has 5 bytes, not 16, 24 or 32/, { resources: ["secrets"], providers: [{ aesgcm: { keys: [key("k", 5)] } }] });
  assert.throws(() => parseEncryptionConfiguration("kind: Other", randomBytes), /must be an apiserver.config.k8s.io\/v1/);
});
