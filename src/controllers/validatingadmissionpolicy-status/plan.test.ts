import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ValidatingAdmissionPolicySpec } from "../../api/types/admissionregistration/v1.ts";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import { planStatus } from "./plan.ts";

const rule = (apiGroups: string[], resources: string[]) => ({ operations: ["*"], apiGroups, apiVersions: ["v1"], resources });

function warningsOf(
  spec: ValidatingAdmissionPolicySpec,
  rules = [rule(["apps"], ["deployments"])],
  definitions: CustomResourceDefinition[] = [],
) {
  const policy = { metadata: { name: "p", generation: 1 }, spec: { matchConstraints: { resourceRules: rules }, ...spec } };
  return planStatus(policy, definitions)?.typeChecking?.expressionWarnings;
}

describe("a policy's status", () => {
  it("says which expressions do not fit the kinds that the policy names", () => {
    const validations = [
      { expression: "object.spec.replicas > 1", messageExpression: "object.spec.replicas" },
      { expression: "object.replicas > 1", messageExpression: "'in ' + object.nowhere" },
    ];
    const problem = (text: string, expression: string, column: number) =>
      `apps/v1, Kind=Deployment: ERROR: <input>:1:${column}: ${text}\n | ${expression}\n | ${".".repeat(column - 1)}^`;
    assert.deepEqual(warningsOf({ validations }), [
      { fieldRef: "spec.validations[1].expression", warning: problem("undefined field 'replicas'", "object.replicas > 1", 7) },
      { fieldRef: "spec.validations[1].messageExpression", warning: problem("undefined field 'nowhere'", "'in ' + object.nowhere", 15) },
    ]);
  });

  it("knows variables, parameters, and each of several kinds", () => {
    const paramKind = { apiVersion: "v1", kind: "ConfigMap" };
    const variables = [{ name: "containers", expression: "object.spec.template.spec.containers" }];
    const validations = [{ expression: "variables.containers.all(c, c.image.startsWith(params.data['prefix']))" }];
    assert.equal(warningsOf({ paramKind, variables, validations }, [rule(["apps"], ["deployments", "statefulsets"])]), undefined);
    const [found] = warningsOf({ paramKind, validations: [{ expression: "params.spec == object.spec" }] }) ?? [];
    assert.match(found?.warning ?? "", /undefined field 'spec'/);
  });

  it("knows custom kinds by their definitions' schemas", () => {
    const spec = { type: "object", properties: { cronSpec: { type: "string" } } };
    const openAPIV3Schema = { type: "object", properties: { spec } };
    const definition: CustomResourceDefinition = {
      metadata: { name: "crontabs.stable.example.com" },
      spec: {
        group: "stable.example.com",
        scope: "Namespaced",
        names: { plural: "crontabs", kind: "CronTab" },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }],
      },
    };
    const crontabs = [rule(["stable.example.com"], ["crontabs"])];
    const fits = "object.spec.cronSpec != '' && object.metadata.labels['a'] == 'b'";
    assert.equal(warningsOf({ validations: [{ expression: fits }] }, crontabs, [definition]), undefined);
    const [found] = warningsOf({ validations: [{ expression: "object.spec.cronspec != ''" }] }, crontabs, [definition]) ?? [];
    assert.match(found?.warning ?? "", /^stable.example.com\/v1, Kind=CronTab: ERROR: .* undefined field 'cronspec'/);
    const paramKind = { apiVersion: "stable.example.com/v1", kind: "CronTab" };
    const [params] = warningsOf({ paramKind, validations: [{ expression: "params.spec.at == ''" }] }, undefined, [definition]) ?? [];
    assert.match(params?.warning ?? "", /undefined field 'at'/);
  });

  it("is not written again for a policy that has not changed", () => {
    const policy = { metadata: { name: "p", generation: 2 }, status: { observedGeneration: 2 } };
    assert.equal(planStatus(policy, []), undefined);
  });
});
