import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { validatingAdmissionPolicyStatusController } from "../../../src/controllers/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

describe("the status controller of admission policies", () => {
  it("checks a policy's expressions once for every change", async () => {
    await using cluster = await ControllerCluster.start(validatingAdmissionPolicyStatusController);
    const resourceRules = [{ operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }];
    const spec = (expression: string) => ({ matchConstraints: { resourceRules }, validations: [{ expression }] });
    const name = "p";
    await cluster.create(resources.validatingadmissionpolicies, { metadata: { name }, spec: spec("object.spec.nodes == 'x'") });
    await cluster.clock.advance(10);
    const checked = await cluster.client.get(resources.validatingadmissionpolicies, name);
    assert.equal(checked.status?.observedGeneration, 1);
    assert.match(checked.status?.typeChecking?.expressionWarnings?.[0]?.warning ?? "", /^v1, Kind=Pod: ERROR: .* undefined field 'nodes'/);
    const change = { spec: spec("object.spec.nodeName == 'x'") };
    await cluster.client.patch(resources.validatingadmissionpolicies, name, change, { type: "application/merge-patch+json" });
    await cluster.clock.advance(10);
    const { status } = await cluster.client.get(resources.validatingadmissionpolicies, name);
    assert.deepEqual([status?.observedGeneration, status?.typeChecking], [2, {}]);
  });
});
