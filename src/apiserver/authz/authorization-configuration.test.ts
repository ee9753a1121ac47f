import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizationConfiguration } from "./authorization-configuration.ts";

const head = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthorizationConfiguration" };
const webhook = {
  authorizedTTL: "1m30s",
  timeout: "3s",
  subjectAccessReviewVersion: "v1",
  matchConditionSubjectAccessReviewVersion: "v1",
  failurePolicy: "Deny",
  connectionInfo: { type: "KubeConfigFile", kubeConfigFile: "/hook" },
  matchConditions: [{ expression: "has(request.resourceAttributes)" }],
};
const read = (kubeConfigFile: string) => ({ url: `https:/${kubeConfigFile}` });

test("authorizers are taken over in their order, with upstream's defaults", () => {
  const authorizers = [
    { type: "Webhook", name: "hook", webhook },
    { type: "Node", name: "node" },
    { type: "RBAC", name: "rbac" },
  ];
  const [first, ...others] = authorizationConfiguration({ ...head, authorizers }, read);
  assert.deepEqual(others, [{ type: "Node" }, { type: "RBAC" }]);
  assert.ok(first?.type === "Webhook");
  const { conditions, ...rest } = first.webhook;
  assert.deepEqual(rest, {
    name: "hook",
    connection: { url: "https://hook" },
    version: "v1",
    failurePolicy: "Deny",
    timeoutMs: 3000,
    authorizedTtlMs: 90_000,
    unauthorizedTtlMs: 30_000,
  });
  assert.deepEqual(
    conditions.map(({ expression }) => expression),
    ["has(request.resourceAttributes)"],
  );
});

test("what cannot be followed is refused in upstream's words", () => {
  const hook = (change: object) => [{ type: "Webhook", name: "hook", webhook: { ...webhook, ...change } }];
  const rbac = { type: "RBAC", name: "rbac" };
  const cases: [object[], RegExp][] = [
    [[], /authorizers: Required value: at least one authorization mode must be defined/],
    [[{ type: "ABAC", name: "a" }], /authorizers\[0\].type: Unsupported value: "ABAC": supported values: "Node", "RBAC", "Webhook"/],
    [[rbac, rbac], /authorizers\[1\].type: Duplicate value: "RBAC"/],
    [[rbac, { type: "Node", name: "rbac" }], /authorizers\[1\].name: Duplicate value: "rbac"/],
    [[{ type: "RBAC", name: "A" }], /authorizers\[0\].name: Invalid value: "A": authorizer name is invalid/],
    [[{ ...rbac, webhook }], /authorizers\[0\].webhook: Invalid value: "non-null": may only be specified when type=Webhook/],
    [[{ type: "Webhook", name: "hook" }], /authorizers\[0\].webhook: Required value: required when type=Webhook/],
    [hook({ timeout: "31s" }), /authorizers\[0\].timeout: Invalid value: "31s": must be > 0s and <= 30s/],
    [hook({ authorizedTTL: "x" }), /authorizers\[0\].authorizedTTL: Invalid value: "x": time: invalid duration/],
    [hook({ failurePolicy: undefined }), /authorizers\[0\].failurePolicy: Required value/],
    [hook({ subjectAccessReviewVersion: "v2" }), /subjectAccessReviewVersion: Unsupported value: "v2": supported values: "v1", "v1beta1"/],
    [hook({ matchConditionSubjectAccessReviewVersion: "" }), /Required value: required if match conditions are specified/],
    [
      hook({ matchConditions: [{ expression: "request.user" }] }),
      /matchConditions\[0\].expression: Invalid value: .* must evaluate to bool/,
    ],
    [hook({ matchConditions: [{ expression: "request.nobody == ''" }] }), /undefined field 'nobody'/],
    [hook({ connectionInfo: { type: "InClusterConfig" } }), /connectionInfo.type: Unsupported value: "InClusterConfig"/],
    [
      hook({ connectionInfo: { type: "KubeConfigFile", kubeConfigFile: "hook" } }),
      /kubeConfigFile: Invalid value: "hook": must be an absolute path/,
    ],
  ];
  for (const [authorizers, why] of cases) assert.throws(() => authorizationConfiguration({ ...head, authorizers }, read), why);
  assert.throws(
    () => authorizationConfiguration({ kind: "Pod" }, read),
    /must be an apiserver.config.k8s.io\/v1 AuthorizationConfiguration/,
  );
  const unreadable = () => {
    throw new Error("no such file");
  };
  const authorizers = hook({});
  assert.throws(() => authorizationConfiguration({ ...head, authorizers }, unreadable), /"\/hook": error loading file: no such file/);
});
