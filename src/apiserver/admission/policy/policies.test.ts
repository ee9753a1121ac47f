import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RequestScope } from "../../../api/index.ts";
import { CoreFixture, configMap } from "../../registry/testing/core-fixture.ts";

const GROUP = "admissionregistration.k8s.io/v1";
const onConfigMaps = {
  resourceRules: [{ operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
};
const onDeployments = {
  resourceRules: [{ operations: ["CREATE", "UPDATE"], apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"] }],
};

function deployment(name: string, replicas: number, metadata: object = {}) {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  return { metadata: { name, ...metadata }, spec: { replicas, selector: { matchLabels: labels }, template } };
}

async function validating(server: CoreFixture, spec: object, binding: object = {}): Promise<void> {
  const policy = { matchConstraints: onConfigMaps, ...spec };
  await server.create(`${GROUP}/validatingadmissionpolicies`, { metadata: { name: "p" }, spec: policy });
  const bound = { policyName: "p", validationActions: ["Deny"], ...binding };
  await server.create(`${GROUP}/validatingadmissionpolicybindings`, { metadata: { name: "b" }, spec: bound });
  await server.clock.advance(0);
}

async function mutating(server: CoreFixture, name: string, spec: object, binding: object = {}): Promise<void> {
  const policy = { matchConstraints: onDeployments, ...spec };
  await server.create(`${GROUP}/mutatingadmissionpolicies`, { metadata: { name }, spec: policy });
  await server.create(`${GROUP}/mutatingadmissionpolicybindings`, { metadata: { name }, spec: { policyName: name, ...binding } });
  await server.clock.advance(0);
}

const applying = (expression: string) => ({ patchType: "ApplyConfiguration", applyConfiguration: { expression } });
const patching = (expression: string) => ({ patchType: "JSONPatch", jsonPatch: { expression } });

describe("ValidatingAdmissionPolicy", () => {
  it("denies what an expression does not allow, and only where it is bound", async () => {
    await using server = await CoreFixture.start();
    const validations = [{ expression: "object.spec.replicas <= 5" }];
    await server.create(`${GROUP}/validatingadmissionpolicies`, {
      metadata: { name: "unbound" },
      spec: { matchConstraints: onDeployments, validations: [{ expression: "false" }] },
    });
    await validating(server, { matchConstraints: onDeployments, validations });
    await server.create("apps/v1/deployments", deployment("small", 5));
    await assert.rejects(server.create("apps/v1/deployments", deployment("large", 6)), {
      status: {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message:
          "deployments.apps \"large\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.spec.replicas <= 5",
        reason: "Invalid",
        details: {
          name: "large",
          group: "apps",
          kind: "deployments",
          causes: [
            { message: "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.spec.replicas <= 5" },
          ],
        },
        code: 422,
      },
    });
  });

  it("explains itself by message, messageExpression and reason", async () => {
    await using server = await CoreFixture.start();
    const variables = [
      { name: "count", expression: "size(object.data)" },
      { name: "tooMany", expression: "variables.count > 1" },
    ];
    const validations = [
      { expression: "!variables.tooMany", messageExpression: "'has ' + string(variables.count) + ' keys'", reason: "Forbidden" },
      { expression: "object.metadata.name != 'bad'", message: "no bad ones" },
    ];
    await validating(server, { variables, validations });
    await assert.rejects(server.create("configmaps", configMap("a", { x: "1", y: "2" })), (error: { code: number; message: string }) => {
      return error.code === 403 && error.message.endsWith("denied request: has 2 keys");
    });
    await assert.rejects(server.create("configmaps", configMap("bad", { x: "1" })), /denied request: no bad ones$/);
  });

  it("warns instead of denying when that is its action", async () => {
    await using server = await CoreFixture.start();
    await validating(server, { validations: [{ expression: "false", message: "hm" }] }, { validationActions: ["Warn", "Audit"] });
    await server.create("configmaps", configMap("a"));
    assert.deepEqual(server.warnings, ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': hm"]);
    const noted = JSON.parse(server.annotations["validation.policy.admission.k8s.io/validation_failure"] ?? "");
    assert.deepEqual(noted, [{ message: "hm", policy: "p", binding: "b", expressionIndex: 0, validationActions: ["Warn", "Audit"] }]);
  });

  it("annotates the audit event", async () => {
    await using server = await CoreFixture.start();
    const auditAnnotations = [
      { key: "many", valueExpression: "size(object.data) > 1 ? 'has ' + string(size(object.data)) : ''" },
      { key: "who", valueExpression: "request.userInfo.username" },
    ];
    await validating(server, { auditAnnotations });
    await server.create("configmaps", configMap("a", { x: "1" }));
    assert.deepEqual([server.annotations["p/who"], server.annotations["p/many"]], ["alice", undefined]);
    await server.create("configmaps", configMap("b", { x: "1", y: "2" }));
    assert.equal(server.annotations["p/many"], "has 2");
  });

  it("judges by parameters, each of those that a selector finds", async () => {
    await using server = await CoreFixture.start();
    const limit = (name: string, max: string) => configMap(name, { max }, { labels: { limits: "yes" } });
    await server.create("configmaps", limit("loose", "9"));
    await server.create("configmaps", limit("strict", "3"));
    const spec = {
      matchConstraints: onDeployments,
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      validations: [{ expression: "object.spec.replicas <= int(params.data.max)", messageExpression: "'more than ' + params.data.max" }],
    };
    const selector = { matchLabels: { limits: "yes" } };
    await validating(server, spec, { paramRef: { selector, parameterNotFoundAction: "Deny" } });
    await server.create("apps/v1/deployments", deployment("a", 3));
    await assert.rejects(server.create("apps/v1/deployments", deployment("b", 4)), /more than 3$/);
    await server.delete("configmaps", "loose");
    await server.delete("configmaps", "strict");
    await server.clock.advance(0);
    await assert.rejects(server.create("apps/v1/deployments", deployment("c", 1)), {
      message:
        "deployments.apps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
    });
  });

  it("with a parameter that is not there and need not be says nothing", async () => {
    await using server = await CoreFixture.start();
    const spec = { paramKind: { apiVersion: "v1", kind: "Secret" }, validations: [{ expression: "false" }] };
    await validating(server, spec, { paramRef: { name: "none", parameterNotFoundAction: "Allow" } });
    await server.create("configmaps", configMap("a"));
  });

  it("fails closed when an expression cannot be evaluated, open when told to", async () => {
    await using server = await CoreFixture.start();
    await validating(server, { validations: [{ expression: "object.data.missing == 'x'" }] });
    await assert.rejects(
      server.create("configmaps", configMap("a", { k: "v" })),
      /expression 'object.data.missing == 'x'' resulted in error: no such key: missing$/,
    );
    const { object } = await server.get(`${GROUP}/validatingadmissionpolicies`, "p");
    const { spec } = object as { spec?: object };
    await server.update(`${GROUP}/validatingadmissionpolicies`, { ...object, spec: { ...spec, failurePolicy: "Ignore" } } as never);
    await server.clock.advance(0);
    await server.create("configmaps", configMap("a", { k: "v" }));
  });

  it("is asked only where its conditions hold and its binding's selectors match", async () => {
    await using server = await CoreFixture.start();
    await server.create("namespaces", { metadata: { name: "free", labels: { env: "test" } } });
    const matchConditions = [{ name: "people", expression: "!request.userInfo.username.startsWith('system:')" }];
    const namespaceSelector = { matchExpressions: [{ key: "env", operator: "NotIn", values: ["test"] }] };
    await validating(server, { matchConditions, validations: [{ expression: "false" }] }, { matchResources: { namespaceSelector } });
    await server.create("configmaps", configMap("a"), { namespace: "free" });
    await assert.rejects(server.create("configmaps", configMap("a")));
    const scope: RequestScope = { ...server.scope("configmaps"), user: { name: "system:robot", groups: [] } };
    await server.core.create(scope, configMap("a"), {});
  });

  it("sees the old object, the namespace and what the user may do", async () => {
    const authorizer = { authorize: ({ verb }: { verb: string }) => ({ allowed: verb !== "break", reason: "" }) };
    await using server = await CoreFixture.start({ authorizer });
    const validations = [
      { expression: "request.operation != 'UPDATE' || object.data.k == oldObject.data.k", message: "k stays" },
      { expression: "namespaceObject.metadata.name == request.namespace" },
      { expression: "authorizer.requestResource.check('break').allowed() || object.metadata.name != 'glass'", message: "may not break" },
      { expression: "authorizer.group('').resource('pods').namespace('default').check('get').allowed()" },
    ];
    const rules = [{ ...onConfigMaps.resourceRules[0], operations: ["CREATE", "UPDATE"] }];
    await validating(server, { matchConstraints: { resourceRules: rules }, validations });
    await server.create("configmaps", configMap("a", { k: "1" }));
    await assert.rejects(server.update("configmaps", configMap("a", { k: "2" }) as never), /k stays$/);
    await assert.rejects(server.create("configmaps", configMap("glass")), /may not break$/);
  });

  it("with expressions that do not compile or have the wrong type is refused", async () => {
    await using server = await CoreFixture.start();
    const refused = (spec: object, pattern: RegExp) => assert.rejects(validating(server, spec), pattern);
    await refused(
      { validations: [{ expression: "object.x +" }] },
      /spec.validations\[0\].expression: Invalid value: "object.x \+": compilation failed: ERROR: <input>:1:/,
    );
    await refused(
      { validations: [{ expression: "'text'" }] },
      /spec.validations\[0\].expression: Invalid value: "'text'": must evaluate to bool/,
    );
    await refused({ validations: [{ expression: "params.x == 1" }] }, /undeclared reference to 'params'/);
    await refused({ validations: [{ expression: "request.nothing == 1" }] }, /undefined field 'nothing'/);
    await refused(
      { variables: [{ name: "a-b", expression: "1" }], validations: [{ expression: "true" }] },
      /name is not a valid CEL identifier/,
    );
    await refused(
      { validations: [{ expression: "true", reason: "Because" }] },
      /spec.validations\[0\].reason: Unsupported value: "Because"/,
    );
  });
});

describe("MutatingAdmissionPolicy", () => {
  it("merges configurations into the object", async () => {
    await using server = await CoreFixture.start();
    const expression = `Object{metadata: Object.metadata{labels: {"added": "yes"}}, spec: Object.spec{replicas: object.spec.replicas + 1,
      template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "side", image: "s"}]}}}}`;
    await mutating(server, "m", { mutations: [applying(expression)] });
    const { object } = await server.create("apps/v1/deployments", deployment("d", 2, { labels: { own: "yes" } }));
    const { metadata, spec } = object as unknown as {
      metadata: object;
      spec: { replicas: number; template: { spec: { containers: { name: string; imagePullPolicy: string }[] } } };
    };
    assert.deepEqual((metadata as { labels?: object }).labels, { own: "yes", added: "yes" });
    assert.equal(spec.replicas, 3);
    const { containers } = spec.template.spec;
    assert.deepEqual(
      containers.map(({ name, imagePullPolicy }) => `${name} ${imagePullPolicy}`),
      ["c Always", "side Always"],
    );
  });

  it("applies JSON patches, whose failed tests change nothing", async () => {
    await using server = await CoreFixture.start();
    const add = `[JSONPatch{op: "test", path: "/spec/replicas", value: 2},
      JSONPatch{op: "add", path: "/metadata/annotations", value: {}},
      JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("a/b"), value: "x"}]`;
    await mutating(server, "m", { mutations: [patching(add)] });
    const annotations = async (name: string, replicas: number) =>
      (await server.create("apps/v1/deployments", deployment(name, replicas))).object.metadata.annotations;
    assert.deepEqual(await annotations("two", 2), { "a/b": "x" });
    assert.equal(await annotations("one", 1), undefined);
  });

  it("mutates in the order of the policies' names, and again what asks for it", async () => {
    await using server = await CoreFixture.start();
    const label = (name: string, value: string) => applying(`Object{metadata: Object.metadata{labels: {"${name}": ${value}}}}`);
    const seen = `has(object.metadata.labels) && "later" in object.metadata.labels ? "seen" : "not seen"`;
    await mutating(server, "a", { mutations: [label("first", seen)], reinvocationPolicy: "IfNeeded" });
    await mutating(server, "b", { mutations: [label("later", '"yes"')] });
    const { object } = await server.create("apps/v1/deployments", deployment("d", 1));
    assert.deepEqual(object.metadata.labels, { first: "seen", later: "yes" });
  });

  it("refuses to replace what is atomic, and says which policy it was", async () => {
    await using server = await CoreFixture.start();
    const expression = `Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"a": "b"}}}}`;
    await mutating(server, "m", { mutations: [applying(expression)] });
    await assert.rejects(server.create("apps/v1/deployments", deployment("d", 1)), {
      message:
        "policy 'm' with binding 'm' denied request: error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector",
    });
  });

  it("takes parameters, and is left out where there are none", async () => {
    await using server = await CoreFixture.start();
    const spec = {
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      mutations: [applying("Object{spec: Object.spec{replicas: int(params.data.n)}}")],
    };
    await mutating(server, "m", spec, { paramRef: { name: "n", parameterNotFoundAction: "Allow" } });
    const replicas = async (name: string) => {
      const { object } = await server.create("apps/v1/deployments", deployment(name, 1));
      return (object as unknown as { spec: { replicas: number } }).spec.replicas;
    };
    assert.equal(await replicas("before"), 1);
    await server.create("configmaps", configMap("n", { n: "7" }));
    assert.equal(await replicas("after"), 7);
  });

  it("must make objects or patches", async () => {
    await using server = await CoreFixture.start();
    await assert.rejects(
      mutating(server, "m", { mutations: [applying("{'a': 1}")] }),
      /spec.mutations\[0\].applyConfiguration.expression: Invalid value: "{'a': 1}": must evaluate to Object/,
    );
    await assert.rejects(mutating(server, "m", { mutations: [patching("[1]")] }), /must evaluate to list\(JSONPatch\)/);
    await assert.rejects(
      mutating(server, "m", { mutations: [{ patchType: "JSONPatch" }] }),
      /spec.mutations\[0\].jsonPatch: Required value/,
    );
  });
});
