import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { exportJWK, SignJWT } from "jose";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import type { JsonRequest } from "../webhooks/fetch-json.ts";
import { BootstrapTokens } from "./bootstrap-tokens.ts";
import { anonymousRule } from "./create-authentication.ts";
import { defaultProxyHeaders, proxiedUser } from "./front-proxy.ts";
import { type JwtAuthenticatorConfig, OidcTokens } from "./oidc-tokens.ts";
import { StaticTokens } from "./static-tokens.ts";
import { TokenCache, TokenChain } from "./token-chain.ts";
import { WebhookTokens } from "./webhook-tokens.ts";

const API = ["https://api"];
const START_SECONDS = Date.parse("2026-01-01T00:00:00Z") / 1000;

function bootstrapTokens(fields: Record<string, string>, secret: object = {}) {
  const data = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
  const object = { metadata: { name: "bootstrap-token-abcdef" }, type: "bootstrap.kubernetes.io/token", data, ...secret };
  const lookup = async (_resource: string, namespace: string, name: string) =>
    namespace === "kube-system" && name === "bootstrap-token-abcdef" ? object : undefined;
  return new BootstrapTokens({ lookup, clock: new VirtualClock(), apiAudiences: API });
}

const good = { "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true" };
const TOKEN = "abcdef.0123456789abcdef";

test("a bootstrap token is its secret's, with the secret's groups", async () => {
  const tokens = bootstrapTokens({ ...good, "auth-extra-groups": "system:bootstrappers:workers", expiration: "2026-01-01T00:00:01Z" });
  const found = await tokens.authenticateToken(TOKEN, API);
  assert.equal(found?.user.name, "system:bootstrap:abcdef");
  assert.deepEqual(found?.user.groups, ["system:bootstrappers", "system:bootstrappers:workers", "system:authenticated"]);
});

test("a bootstrap token that is wrong, over, going away or not for this is none", async () => {
  const cases: [string, BootstrapTokens][] = [
    ["wrong secret", bootstrapTokens({ ...good, "token-secret": "0123456789abcdeX" })],
    ["over", bootstrapTokens({ ...good, expiration: "2025-12-31T23:59:59Z" })],
    ["no time", bootstrapTokens({ ...good, expiration: "soon" })],
    ["other usage", bootstrapTokens({ ...good, "usage-bootstrap-authentication": "false" })],
    ["strange group", bootstrapTokens({ ...good, "auth-extra-groups": "system:masters" })],
    ["other type", bootstrapTokens(good, { type: "Opaque" })],
    ["going away", bootstrapTokens(good, { metadata: { name: "x", deletionTimestamp: "2026-01-01T00:00:00Z" } })],
  ];
  for (const [name, tokens] of cases) assert.equal(await tokens.authenticateToken(TOKEN, API), undefined, name);
  assert.equal(await bootstrapTokens(good).authenticateToken("fedcba.0123456789abcdef", API), undefined);
});

async function oidc(config: Partial<JwtAuthenticatorConfig> = {}) {
  const pairs = ["one", "two"].map((kid) => ({ kid, ...generateKeyPairSync("ec", { namedCurve: "P-256" }) }));
  const published = { count: 1 };
  const asked: string[] = [];
  const fetchJson = async ({ url }: JsonRequest) => {
    asked.push(url);
    if (url.endsWith("openid-configuration")) return { issuer: "https://issuer", jwks_uri: "https://issuer/keys" };
    const keys = pairs
      .slice(0, published.count)
      .map(async ({ kid, publicKey }) => ({ kid, alg: "ES256", ...(await exportJWK(publicKey)) }));
    return { keys: await Promise.all(keys) };
  };
  const clock = new VirtualClock();
  const tokens = new OidcTokens({
    apiAudiences: API,
    fetchJson,
    clock,
    logger: silentLogger,
    config: {
      issuer: { url: "https://issuer", audiences: ["k8ts"] },
      claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "roles", prefix: "r:" } },
      ...config,
    },
  });
  const sign = (claims: Record<string, unknown>, key = 0) => {
    const pair = pairs[key];
    if (pair === undefined) throw new Error("no such key");
    return new SignJWT({ iss: "https://issuer", aud: "k8ts", exp: START_SECONDS + 60, ...claims })
      .setProtectedHeader({ alg: "ES256", kid: pair.kid })
      .sign(pair.privateKey);
  };
  return { tokens, sign, clock, published, asked };
}

test("an ID token names its user by the claims that are mapped", async () => {
  const { tokens, sign } = await oidc();
  const found = await tokens.authenticateToken(await sign({ sub: "ann", roles: ["dev", "ops"] }), API);
  assert.equal(found?.user.name, "oidc:ann");
  assert.deepEqual(found?.user.groups, ["r:dev", "r:ops", "system:authenticated"]);
});

test("an issuer's keys are found where its discoveryURL says, and any of its audiences will do", async () => {
  const discoveryURL = "https://inside/.well-known/openid-configuration";
  const { tokens, sign, asked } = await oidc({ issuer: { url: "https://issuer", discoveryURL, audiences: ["other", "k8ts"] } });
  assert.equal((await tokens.authenticateToken(await sign({ sub: "ann" }), API))?.user.name, "oidc:ann");
  assert.equal(asked[0], discoveryURL);
});

test("an ID token for others, of others or over is refused", async () => {
  const { tokens, sign } = await oidc({ claimValidationRules: [{ claim: "tenant", requiredValue: "a" }] });
  const refused = async (claims: Record<string, unknown>, why: RegExp) =>
    assert.rejects(tokens.authenticateToken(await sign({ tenant: "a", sub: "ann", ...claims }), API), why);
  await refused({ aud: "other" }, /unexpected "aud" claim value/);
  await refused({ exp: START_SECONDS - 1 }, /"exp" claim timestamp check failed/);
  await refused({ tenant: "b" }, /required claim tenant value does not match. Got = b, want = a/);
  await refused({ sub: undefined }, /claim not present/);
  assert.equal(await tokens.authenticateToken(await sign({ iss: "https://elsewhere" }), API), undefined);
});

test("an email counts as a name only when it is verified", async () => {
  const { tokens, sign } = await oidc({ claimMappings: { username: { claim: "email" } } });
  await assert.rejects(tokens.authenticateToken(await sign({ email: "a@b", email_verified: false }), API), /email not verified/);
  assert.equal((await tokens.authenticateToken(await sign({ email: "a@b", email_verified: true }), API))?.user.name, "a@b");
});

test("a key that the issuer has begun to use is found, without asking for it again and again", async () => {
  const { tokens, sign, clock, published, asked } = await oidc();
  await tokens.authenticateToken(await sign({ sub: "ann" }), API);
  published.count = 2;
  const token = await sign({ sub: "ann" }, 1);
  await assert.rejects(tokens.authenticateToken(token, API), /no applicable key/);
  assert.equal(asked.length, 2);
  await clock.advance(10_000);
  assert.equal((await tokens.authenticateToken(token, API))?.user.name, "oidc:ann");
  assert.equal(asked.length, 4);
});

test("a webhook is shown the token and its word is taken, for the audiences it names", async () => {
  const bodies: unknown[] = [];
  const status = { authenticated: true, user: { username: "ann", groups: ["dev"], extra: { k: ["v"] } }, audiences: ["https://api", "x"] };
  const fetchJson = async ({ body }: JsonRequest) => {
    bodies.push(body);
    return { status };
  };
  const tokens = new WebhookTokens({ config: { url: "https://hook" }, apiAudiences: API, fetchJson, logger: silentLogger });
  const clock = new VirtualClock();
  const cached = new TokenCache(tokens, { clock, ttlMs: 1000 });
  const found = await cached.authenticateToken("t", API);
  assert.deepEqual(found, { user: { name: "ann", groups: ["dev", "system:authenticated"], extra: { k: ["v"] } }, audiences: API });
  await cached.authenticateToken("t", API);
  assert.equal(bodies.length, 1);
  assert.deepEqual((bodies[0] as { spec: unknown }).spec, { token: "t", audiences: API });
  await clock.advance(1000);
  await cached.authenticateToken("t", API);
  assert.equal(bodies.length, 2);
});

test("what was wrong with a token is told by all who knew it, and nobody's token is just invalid", async () => {
  const staticTokens = new StaticTokens([{ token: "t", user: "ann", groups: [] }], API);
  const failing = new WebhookTokens({
    config: { url: "https://hook" },
    apiAudiences: API,
    fetchJson: async () => ({ status: { error: "too old" } }),
    logger: silentLogger,
  });
  const chain = new TokenChain({ authenticators: () => [staticTokens, failing], apiAudiences: API });
  assert.equal((await chain.authenticate("t", [])).user.name, "ann");
  await assert.rejects(chain.authenticate("u", []), /^Error: \[invalid bearer token, too old\]$/);
  await assert.rejects(new TokenChain({ authenticators: () => [staticTokens], apiAudiences: API }).authenticate("t", ["vault"]), {
    message: "invalid bearer token",
  });
});

test("nobody in particular may ask where the configuration says", () => {
  assert.deepEqual(["/livez", "/api"].map(anonymousRule(undefined)), [true, false]);
  assert.deepEqual(["/livez", "/api"].map(anonymousRule({ enabled: false })), [false, false]);
  assert.deepEqual(["/livez", "/api"].map(anonymousRule({ enabled: true })), [true, true]);
  assert.deepEqual(["/livez", "/api"].map(anonymousRule({ enabled: true, conditions: [{ path: "/livez" }] })), [true, false]);
});

test("a front proxy's headers name the user, keys of extra with escapes", () => {
  const headers = { "x-remote-user": "ann", "x-remote-group": "a, b", "x-remote-extra-example.com%2fscope": "x", "x-other": "y" };
  assert.deepEqual(proxiedUser(headers, defaultProxyHeaders), {
    name: "ann",
    groups: ["a", "b", "system:authenticated"],
    extra: { "example.com/scope": ["x"] },
  });
  assert.equal(proxiedUser({ "x-remote-group": "a" }, defaultProxyHeaders), undefined);
});
