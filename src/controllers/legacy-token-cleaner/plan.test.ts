import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod, Secret, ServiceAccount } from "../../api/types/core/v1.ts";
import { cleansFromMs, planToken } from "./plan.ts";

const nowMs = Date.parse("2030-01-01T00:00:00Z");
const annotations = { "kubernetes.io/service-account.name": "bot", "kubernetes.io/service-account.uid": "u" };
const account: ServiceAccount = { metadata: { name: "bot", uid: "u" }, secrets: [{ name: "bot-token" }] };

const secret = (labels: Record<string, string> = {}, creationTimestamp = "2025-01-01T00:00:00Z"): Secret => ({
  metadata: { name: "bot-token", namespace: "default", annotations, labels, creationTimestamp },
});
const plan = (some: Secret, accounts: ServiceAccount[] = [account], pods: Pod[] = []) => planToken(some, { accounts, pods, nowMs });

describe("a token that was made for its account by itself", () => {
  it("is marked when it was not used for a year, and deleted another year later", () => {
    assert.equal(plan(secret()), "mark");
    assert.equal(plan(secret({ "kubernetes.io/legacy-token-last-used": "2028-12-31" })), "mark");
    assert.equal(plan(secret({ "kubernetes.io/legacy-token-invalid-since": "not a date" })), "mark");
    assert.equal(plan(secret({ "kubernetes.io/legacy-token-invalid-since": "2029-06-01" })), "keep");
    assert.equal(plan(secret({ "kubernetes.io/legacy-token-invalid-since": "2028-06-01" })), "delete");
  });

  it("stays when it is young, was used, or a pod has it", () => {
    assert.equal(plan(secret({}, "2029-06-01T00:00:00Z")), "keep");
    assert.equal(plan(secret({ "kubernetes.io/legacy-token-last-used": "2029-06-01" })), "keep");
    const volumes = [{ name: "v", secret: { secretName: "bot-token" } }];
    assert.equal(plan(secret(), [account], [{ metadata: { name: "p" }, spec: { containers: [], volumes } }]), "keep");
  });

  it("is told from one that someone made by the account's list of secrets", () => {
    assert.equal(plan(secret(), [{ metadata: account.metadata }]), "keep");
    assert.equal(plan(secret(), [{ ...account, metadata: { name: "bot", uid: "another" } }]), "keep");
  });
});

it("uses are known a year after servers began to note them", () => {
  assert.equal(cleansFromMs("2029-01-01"), Date.parse("2030-01-02T00:00:00Z"));
  assert.ok(Number.isNaN(cleansFromMs("")));
});
