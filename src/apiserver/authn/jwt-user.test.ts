import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticationConfiguration } from "./authentication-configuration.ts";
import { userOf } from "./jwt-user.ts";

/** The user of `claims` for a JWTAuthenticator with these parts. */
function user(claims: Record<string, unknown>, parts: object) {
  const issuer = { url: "https://issuer", audiences: ["a"] };
  const file = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration", jwt: [{ issuer, ...parts }] };
  const [config] = authenticationConfiguration(file).jwt ?? [];
  assert.ok(config !== undefined);
  return userOf(config, claims);
}

const username = { expression: "'oidc:' + claims.sub" };

test("expressions make every part of a user out of the claims", () => {
  const claimMappings = {
    username,
    groups: { expression: "claims.roles.split(',').map(role, 'r:' + role)" },
    uid: { expression: "string(claims.id)" },
    extra: [
      { key: "example.com/tenant", valueExpression: "claims.tenant" },
      { key: "example.com/none", valueExpression: "claims.?none.orValue('')" },
      { key: "example.com/list", valueExpression: "claims.list" },
    ],
  };
  const claims = { sub: "ann", roles: "dev,ops", id: 7, tenant: "blue", list: ["a", "", "b"], jti: "j" };
  assert.deepEqual(user(claims, { claimMappings }), {
    name: "oidc:ann",
    groups: ["r:dev", "r:ops", "system:authenticated"],
    uid: "7",
    extra: {
      "authentication.kubernetes.io/credential-id": ["JTI=j"],
      "example.com/tenant": ["blue"],
      "example.com/list": ["a", "b"],
    },
  });
});

test("what an expression cannot make is told as upstream tells it", () => {
  const refused = (claims: Record<string, unknown>, mappings: object, message: string) =>
    assert.throws(() => user(claims, { claimMappings: { username, ...mappings } }), { code: "INVALID_TOKEN", message });
  const because = (what: string, why: string) => `oidc: error evaluating ${what}: ${why}`;
  refused({}, {}, because("username claim expression", "expression ''oidc:' + claims.sub' resulted in error: no such key: sub"));
  const number = { username: { expression: "claims.id" } };
  refused({ id: 1 }, number, because("username claim expression", "username claim expression must return a string"));
  refused({ id: "" }, number, "oidc: empty username via CEL expression is not allowed");
  const texts = "expression must return a string or a list of strings";
  refused({ sub: "a", g: 1 }, { groups: { expression: "claims.g" } }, because("group claim expression", texts));
  refused(
    { sub: "a", id: 1 },
    { uid: { expression: "claims.id" } },
    because("uid claim expression", "uid claim expression must return a string"),
  );
  const extra = [{ key: "example.com/x", valueExpression: "claims.x" }];
  refused({ sub: "a", x: true }, { extra }, because("extra claim expression: claims.x", texts));
});

test("rules over claims and over the user that they make keep others out, with their message", () => {
  const parts = {
    claimMappings: { username, groups: { claim: "roles", prefix: "" } },
    claimValidationRules: [{ expression: "claims.hd == 'example.com'", message: "wrong domain" }],
    userValidationRules: [{ expression: "!user.groups.exists(g, g.startsWith('system:'))", message: "reserved group" }],
  };
  const good = { sub: "ann", hd: "example.com", roles: ["dev"] };
  assert.equal(user(good, parts).name, "oidc:ann");
  const refused = (change: object, message: RegExp) => assert.throws(() => user({ ...good, ...change }, parts), message);
  refused(
    { hd: "evil" },
    /^Error: oidc: error evaluating claim validation expression: validation expression 'claims.hd == 'example.com'' failed: wrong domain$/,
  );
  refused(
    { roles: ["system:masters"] },
    /oidc: error evaluating user info validation rule: validation expression .* failed: reserved group$/,
  );
});
