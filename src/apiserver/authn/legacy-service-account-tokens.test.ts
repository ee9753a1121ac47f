import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { decodeJwt } from "jose";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import type { KubeObject, ObjectMeta } from "../../machinery/index.ts";
import { LegacyServiceAccountTokens } from "./legacy-service-account-tokens.ts";

const API = ["https://kubernetes.default.svc.cluster.local"];
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A token in `dev/bot-token` of the account `dev/bot`. */
async function setUp() {
  const clock = new VirtualClock();
  const objects = new Map<string, KubeObject & { data?: Record<string, string> }>();
  const labels: object[] = [];
  const tokens = new LegacyServiceAccountTokens({
    signingKey: privateKey.export({ type: "pkcs8", format: "pem" }),
    apiAudiences: API,
    clock,
    logger: silentLogger,
    lookup: async (resource, namespace, name) => objects.get(`${resource}/${namespace}/${name}`),
    labelSecret: async (secret, added) => {
      labels.push(added);
      const known = objects.get("secrets/dev/bot-token");
      if (known !== undefined)
        objects.set("secrets/dev/bot-token", { ...known, metadata: { ...secret.metadata, labels: { ...added } } as ObjectMeta });
    },
  });
  const account = { metadata: { name: "bot", namespace: "dev", uid: "sa-1" } };
  const secret = { metadata: { name: "bot-token", namespace: "dev" } };
  const token = await tokens.issue(account, secret);
  objects.set("serviceaccounts/dev/bot", account);
  objects.set("secrets/dev/bot-token", { ...secret, data: { token: base64(token) } });
  const refuses = (text: string) => assert.rejects(tokens.authenticateToken(token, API), { message: text });
  return { clock, objects, labels, tokens, token, refuses };
}

describe("a token that a secret holds", () => {
  it("has upstream's claims and no end", async () => {
    const { tokens, token, clock } = await setUp();
    assert.deepEqual(decodeJwt(token), {
      iss: "kubernetes/serviceaccount",
      sub: "system:serviceaccount:dev:bot",
      "kubernetes.io/serviceaccount/namespace": "dev",
      "kubernetes.io/serviceaccount/secret.name": "bot-token",
      "kubernetes.io/serviceaccount/service-account.name": "bot",
      "kubernetes.io/serviceaccount/service-account.uid": "sa-1",
    });
    await clock.advance(200 * 365 * 86_400_000);
    assert.deepEqual(await tokens.authenticateToken(token, API), {
      user: {
        name: "system:serviceaccount:dev:bot",
        uid: "sa-1",
        groups: ["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"],
      },
      audiences: API,
    });
    assert.equal(await tokens.authenticateToken(token, ["vault"]), undefined);
  });

  it("is good as long as the secret holds it", async () => {
    const { objects, refuses } = await setUp();
    const secret = objects.get("secrets/dev/bot-token");
    assert.ok(secret !== undefined);
    objects.set("secrets/dev/bot-token", { ...secret, data: { token: base64("another") } });
    await refuses("Token does not match server's copy");
    objects.delete("secrets/dev/bot-token");
    await refuses("Token has been invalidated");
  });

  it("is good as long as its account is there", async () => {
    const { objects, refuses } = await setUp();
    objects.set("serviceaccounts/dev/bot", { metadata: { name: "bot", uid: "sa-2" } });
    await refuses("ServiceAccount UID (sa-2) does not match claim (sa-1)");
    objects.delete("serviceaccounts/dev/bot");
    await refuses("ServiceAccount dev/bot has been deleted");
  });

  it("is not taken when its secret is marked invalid", async () => {
    const { objects, tokens, token } = await setUp();
    const secret = objects.get("secrets/dev/bot-token");
    assert.ok(secret !== undefined);
    const labels = { "kubernetes.io/legacy-token-invalid-since": "2026-01-01" };
    objects.set("secrets/dev/bot-token", { ...secret, metadata: { ...secret.metadata, labels } });
    await assert.rejects(tokens.authenticateToken(token, API), /the token in secret dev\/bot-token for .* has been marked invalid\./);
  });

  it("leaves the day of its last use on the secret, once a day", async () => {
    const { clock, labels, tokens, token } = await setUp();
    for (let hour = 0; hour < 48; hour++) {
      await tokens.authenticateToken(token, API);
      await clock.advance(3_600_000);
    }
    assert.deepEqual(labels, [
      { "kubernetes.io/legacy-token-last-used": "2026-01-01" },
      { "kubernetes.io/legacy-token-last-used": "2026-01-02" },
    ]);
  });

  it("is none of another key or issuer", async () => {
    const { tokens, token } = await setUp();
    await assert.rejects(tokens.authenticateToken(`${token.slice(0, -4)}AAAA`, API), /service account token is not valid/);
    assert.equal(await tokens.authenticateToken("no.jwt", API), undefined);
  });
});
