import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldErrorMessage } from "../../machinery/index.ts";
import type { ResourceQuotaSpec } from "../types/core/v1.ts";
import { resourceQuotaStrategy } from "./resource-quota.ts";

const errorsOf = (spec: ResourceQuotaSpec) =>
  (resourceQuotaStrategy.validate?.({ metadata: { name: "q" }, spec }) ?? []).map((error) => fieldErrorMessage(error));
const select = (scopeName: string, operator: string, values?: string[]) => ({
  scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values === undefined ? {} : { values }) }] },
});

describe("a ResourceQuota", () => {
  it("limits what Kubernetes counts, and whatever has a domain", () => {
    assert.deepEqual(errorsOf({ hard: { pods: "1", "requests.hugepages-2Mi": "1Gi", "count/jobs.batch": "2", "example.com/x": "1" } }), []);
    assert.deepEqual(errorsOf({ hard: { gpus: "1" } }), ['spec.hard[gpus]: Invalid value: "gpus": must be a standard resource for quota']);
  });

  it("has scopes that fit what it limits and each other", () => {
    assert.deepEqual(errorsOf({ hard: { pods: "1" }, scopes: ["BestEffort", "Terminating"] }), []);
    assert.deepEqual(errorsOf({ hard: { pods: "1" }, scopes: ["Other"] }), ['spec.scopes: Invalid value: ["Other"]: unsupported scope']);
    assert.deepEqual(errorsOf({ hard: { cpu: "1" }, scopes: ["BestEffort"] }), [
      'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
    ]);
    assert.deepEqual(errorsOf({ hard: { pods: "1" }, scopes: ["Terminating", "NotTerminating"] }), [
      'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
    ]);
  });

  it("selects scopes by operators that fit them", () => {
    assert.deepEqual(errorsOf({ hard: { pods: "1" }, ...select("PriorityClass", "In", ["high"]) }), []);
    const at = "spec.scopeSelector.matchExpressions";
    assert.deepEqual(errorsOf({ hard: { pods: "1" }, ...select("PriorityClass", "In") }), [
      `${at}.values: Required value: must be at least one value when \`operator\` is 'In' or 'NotIn' for scope selector`,
    ]);
    assert.match(
      errorsOf({ hard: { pods: "1" }, ...select("BestEffort", "In", ["x"]) })[0] ?? "",
      /operator: Invalid value: "In": must be 'Exist'/,
    );
    assert.match(errorsOf({ hard: { pods: "1" }, ...select("PriorityClass", "Near") })[0] ?? "", /not a valid selector operator/);
  });
});
