import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticationConfiguration } from "./authentication-configuration.ts";

const head = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration" };
const jwt = {
  issuer: { url: "https://issuer", audiences: ["k8ts"] },
  claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "roles", prefix: "" } },
};

test("issuers and anonymous access are taken over", () => {
  const anonymous = { enabled: true, conditions: [{ path: "/livez" }] };
  assert.deepEqual(authenticationConfiguration({ ...head, jwt: [jwt], anonymous }), {
    jwt: [{ ...jwt, claimValidationRules: [] }],
    anonymous,
  });
  assert.deepEqual(authenticationConfiguration(head), {});
});

test("what cannot be followed is refused with what to change", () => {
  const cases: [object, RegExp][] = [
    [{ kind: "Pod" }, /must be an apiserver.config.k8s.io\/v1 AuthenticationConfiguration/],
    [{ ...head, jwt: [{ ...jwt, issuer: { url: "http://issuer", audiences: ["a"] } }] }, /jwt\[0\].issuer.url must be an https URL/],
    [{ ...head, jwt: [{ ...jwt, issuer: { url: "https://issuer" } }] }, /at least one audience is required/],
    [{ ...head, jwt: [jwt, jwt] }, /two authenticators have the issuer https:\/\/issuer/],
    [{ ...head, jwt: [{ ...jwt, claimMappings: { username: { claim: "sub" } } }] }, /username.prefix is required/],
    [{ ...head, jwt: [{ ...jwt, claimMappings: { username: { expression: "claims.sub" } } }] }, /expressions are not supported/],
    [{ ...head, jwt: [{ ...jwt, userValidationRules: [{}] }] }, /expressions are not supported/],
    [{ ...head, anonymous: { enabled: false, conditions: [{ path: "/x" }] } }, /enabled should be set to true/],
  ];
  for (const [document, why] of cases) assert.throws(() => authenticationConfiguration(document), why);
});
