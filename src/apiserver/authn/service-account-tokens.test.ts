import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { UnsecuredJWT } from "jose";
import { SeededRandom, VirtualClock } from "../../base/index.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";

const account = { metadata: { name: "bot", namespace: "dev", uid: "sa-1" } };
const API = ["https://kubernetes.default.svc.cluster.local"];
const pod = { kind: "Pod", metadata: { name: "p", namespace: "dev", uid: "pod-1" }, spec: { nodeName: "n" } };

function setUp() {
  const clock = new VirtualClock();
  const uids = new Map([
    ["serviceaccounts/dev/bot", "sa-1"],
    ["pods/dev/p", "pod-1"],
    ["nodes//n", "node-1"],
  ]);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const tokens = new ServiceAccountTokens({
    signingKey: privateKey.export({ type: "pkcs8", format: "pem" }),
    issuer: "https://kubernetes.default.svc.cluster.local",
    clock,
    random: new SeededRandom(1),
    lookup: async (resource, namespace, name) => {
      const uid = uids.get(`${resource}/${namespace}/${name}`);
      return uid === undefined ? undefined : { metadata: { name, uid } };
    },
  });
  return { clock, uids, tokens };
}

test("an issued token tells its account, its groups and its pod", async () => {
  const { tokens } = setUp();
  const { token, expirationTimestamp } = await tokens.issue(account, { expirationSeconds: 600 }, pod);
  assert.equal(expirationTimestamp, "2026-01-01T00:10:00Z");
  const user = (await tokens.authenticateToken(token, API))?.user;
  assert.equal(user?.name, "system:serviceaccount:dev:bot");
  assert.equal(user?.uid, "sa-1");
  assert.deepEqual(user?.groups, ["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"]);
  assert.deepEqual(user?.extra?.["authentication.kubernetes.io/pod-name"], ["p"]);
  assert.deepEqual(user?.extra?.["authentication.kubernetes.io/node-uid"], ["node-1"]);
});

test("a token ends with its time, also after it was accepted", async () => {
  const { tokens, clock } = setUp();
  const { token } = await tokens.issue(account, { expirationSeconds: 600 });
  await tokens.authenticateToken(token, API);
  await clock.advance(600_000);
  await assert.rejects(tokens.authenticateToken(token, API), /service account token has expired/);
});

test("a token ends with the pod it is bound to", async () => {
  const { tokens, clock, uids } = setUp();
  const { token } = await tokens.issue(account, {}, pod);
  await tokens.authenticateToken(token, API);
  uids.set("pods/dev/p", "another");
  await clock.advance(10_000);
  await assert.rejects(tokens.authenticateToken(token, API), /pod UID \(another\) does not match claim \(pod-1\)/);
  uids.delete("pods/dev/p");
  await assert.rejects(tokens.authenticateToken(token, API), /service account token has been invalidated/);
});

test("a token for another audience is none for the API, but good for its own", async () => {
  const { tokens } = setUp();
  const { token } = await tokens.issue(account, { audiences: ["vault"] });
  await assert.rejects(tokens.authenticateToken(token, API), /token audiences \["vault"\] is invalid for the target audiences \["https:/);
  assert.deepEqual((await tokens.authenticateToken(token, ["vault", "x"]))?.audiences, ["vault"]);
});

test("a forged token is refused, and what is no JWT or another issuer's is left to others", async () => {
  const { tokens } = setUp();
  const { token } = await setUp().tokens.issue(account, {});
  await assert.rejects(tokens.authenticateToken(token, API), /service account token is not valid/);
  assert.equal(await tokens.authenticateToken("abc", API), undefined);
  const foreign = new UnsecuredJWT({ iss: "https://elsewhere" }).encode();
  assert.equal(await tokens.authenticateToken(`${foreign}x`, API), undefined);
});
