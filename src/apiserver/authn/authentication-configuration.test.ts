import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticationConfiguration } from "./authentication-configuration.ts";

const head = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration" };
const issuer = { url: "https://issuer", audiences: ["k8ts"] };
const jwt = { issuer, claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "roles", prefix: "" } } };

test("issuers and anonymous access are taken over", () => {
  const anonymous = { enabled: true, conditions: [{ path: "/livez" }] };
  assert.deepEqual(authenticationConfiguration({ ...head, jwt: [jwt], anonymous }), {
    jwt: [{ ...jwt, claimValidationRules: [] }],
    anonymous,
  });
  assert.deepEqual(authenticationConfiguration(head), {});
});

test("an issuer that cannot be meant is refused in upstream's words", () => {
  const cases: [object, RegExp][] = [
    [{ url: "" }, /jwt\[0\].issuer.url: Required value/],
    [{ url: "http://issuer" }, /jwt\[0\].issuer.url: Invalid value: "http:\/\/issuer": URL scheme must be https/],
    [{ url: "https://a:b@issuer" }, /URL must not contain a username or password/],
    [{ url: "https://issuer?a=b" }, /URL must not contain a query/],
    [{ url: "https://issuer#a" }, /URL must not contain a fragment/],
    [{ url: "https://own" }, /URL must not overlap with disallowed issuers: \[https:\/\/own\]/],
    [{ discoveryURL: "https://issuer/" }, /issuer.discoveryURL: Invalid value: .*: discoveryURL must be different from URL/],
    [{ audiences: [] }, /issuer.audiences: Required value: at least one jwt\[0\].issuer.audiences is required/],
    [{ audiences: ["a", "b"] }, /audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences/],
    [{ audienceMatchPolicy: "All" }, /audienceMatchPolicy must be empty or MatchAny for single audience/],
    [{ audiences: ["a", "a"], audienceMatchPolicy: "MatchAny" }, /issuer.audiences\[1\]: Duplicate value: "a"/],
  ];
  for (const [change, why] of cases) {
    const document = { ...head, jwt: [{ ...jwt, issuer: { ...issuer, ...change } }] };
    assert.throws(() => authenticationConfiguration(document, ["https://own"]), why);
  }
  assert.throws(() => authenticationConfiguration({ kind: "Pod" }), /must be an apiserver.config.k8s.io\/v1 AuthenticationConfiguration/);
  assert.throws(
    () => authenticationConfiguration({ ...head, jwt: [jwt, jwt] }),
    /jwt\[1\].issuer.url: Duplicate value: "https:\/\/issuer"/,
  );
  const anonymous = { enabled: false, conditions: [{ path: "/x" }] };
  assert.throws(
    () => authenticationConfiguration({ ...head, anonymous }),
    /anonymous.conditions: Invalid value: .* enabled should be set to true/,
  );
});

test("mappings and rules that cannot be meant are refused in upstream's words", () => {
  const username = (mapping: object) => ({ claimMappings: { username: mapping } });
  const extra = (key: string, valueExpression = "claims.x") => ({
    claimMappings: { ...jwt.claimMappings, extra: [{ key, valueExpression }] },
  });
  const rule = (...claimValidationRules: object[]) => ({ claimValidationRules });
  const cases: [object, RegExp][] = [
    [username({}), /jwt\[0\].claimMappings.username: Required value: claim or expression is required/],
    [username({ claim: "sub" }), /username.prefix: Required value: prefix is required when claim is set/],
    [username({ claim: "sub", expression: "claims.sub" }), /username: Invalid value: "": claim and expression can't both be set/],
    [username({ expression: "claims.sub", prefix: "" }), /username.prefix: Invalid value: "": may not be specified when expression is set/],
    [
      username({ expression: "claims.sub +" }),
      /username.expression: Invalid value: "claims.sub \+": compilation failed: ERROR: <input>:1:/,
    ],
    [username({ expression: "claims.email" }), /username.expression: Invalid value: .* claims.email_verified must be used in/],
    [extra("scope"), /extra\[0\].key: Invalid value: "scope": must be a domain-prefixed path/],
    [extra("a.io/Scope"), /extra\[0\].key: Invalid value: "a.io\/Scope": must be lowercase/],
    [extra("a.k8s.io/scope"), /k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use/],
    [extra("a.io/scope", ""), /extra\[0\].valueExpression: Required value/],
    [rule({}), /claimValidationRules\[0\]: Required value: claim or expression is required/],
    [
      rule({ expression: "claims.sub == 'a'" }, { expression: "claims.sub == 'a'" }),
      /claimValidationRules\[1\].expression: Duplicate value/,
    ],
    [rule({ expression: "'a'" }), /claimValidationRules\[0\].expression: Invalid value: "'a'": must evaluate to bool/],
    [rule({ claim: "a", message: "b" }), /claimValidationRules\[0\].message: Invalid value: "b": may not be specified when claim is set/],
    [{ userValidationRules: [{ expression: "user.nobody == ''" }] }, /userValidationRules\[0\].expression: .* undefined field 'nobody'/],
  ];
  for (const [change, why] of cases) assert.throws(() => authenticationConfiguration({ ...head, jwt: [{ ...jwt, ...change }] }), why);
});

test("a name by email is fine when something looks whether it is verified", () => {
  const claimMappings = { username: { expression: "claims.email" } };
  const claimValidationRules = [{ expression: "claims.?email_verified.orValue(true) == true" }];
  assert.equal(authenticationConfiguration({ ...head, jwt: [{ issuer, claimMappings, claimValidationRules }] }).jwt?.length, 1);
});
