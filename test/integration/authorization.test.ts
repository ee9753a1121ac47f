// A webhook has a say in who may do what: on requests, reviews, impersonation, escalation and in admission policies.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebhookServer } from "../../src/apiserver/webhooks/testing/webhook-server.ts";
import { ca, startApiServer } from "./api-server.fixture.ts";

const ann = await ca.issue("CN=ann");
const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string) => ({ method: "POST", as: ann, body: { metadata: { name } } });

interface Asked {
  readonly user: string;
  readonly resourceAttributes?: { readonly verb: string; readonly resource: string; readonly name?: string };
  readonly nonResourceAttributes?: { readonly path: string };
}

/** Node, RBAC and then a webhook that answers what `judge` says. */
async function start(judge: (asked: Asked) => object) {
  const hook = await WebhookServer.start();
  hook.answering = ({ body }) => ({ status: judge((body as { spec: Asked }).spec) });
  const webhook = {
    name: "hook",
    connection: { url: `https://127.0.0.1:${hook.port}/authorize`, ca: Buffer.from(hook.caBundle, "base64").toString() },
    version: "v1",
    timeoutMs: 3000,
    authorizedTtlMs: 0,
    unauthorizedTtlMs: 0,
    failurePolicy: "NoOpinion",
    conditions: [],
  } as const;
  const server = await startApiServer({ authorizers: [{ type: "Node" }, { type: "RBAC" }, { type: "Webhook", webhook }] });
  const close = async () => {
    await server[Symbol.asyncDispose]();
    await hook[Symbol.asyncDispose]();
  };
  return { server, hook, [Symbol.asyncDispose]: close };
}

describe("a webhook that authorises", () => {
  it("decides about resources and paths that RBAC does not allow, with its reason", async () => {
    await using at = await start(({ resourceAttributes, nonResourceAttributes }) =>
      resourceAttributes?.verb === "list" || nonResourceAttributes?.path === "/metrics" ? { allowed: true } : { reason: "not today" },
    );
    assert.equal((await at.server.call(configMaps, { as: ann })).code, 200);
    assert.equal((await at.server.call("/metrics", { as: ann })).code, 200);
    const refused = await at.server.call(configMaps, configMap("a"));
    assert.equal(refused.code, 403);
    assert.match(refused.json.message, /User "ann" cannot create resource "configmaps" .* in the namespace "default": not today$/);
    assert.ok(at.hook.requests.every(({ body }) => (body as { spec: Asked }).spec.user === "ann"));
  });

  it("answers access reviews: denied, its reason, and that a list of rules is not all", async () => {
    await using at = await start(() => ({ denied: true, reason: "never" }));
    const group = "/apis/authorization.k8s.io/v1";
    const spec = { user: "bob", resourceAttributes: { verb: "get", resource: "pods", namespace: "default" } };
    const review = await at.server.call(`${group}/subjectaccessreviews`, { method: "POST", body: { spec } });
    assert.deepEqual(review.json.status, { allowed: false, denied: true, reason: "never" });
    const rules = await at.server.call(`${group}/selfsubjectrulesreviews`, {
      method: "POST",
      as: ann,
      body: { spec: { namespace: "default" } },
    });
    assert.equal(rules.json.status.incomplete, true);
    assert.equal(rules.json.status.evaluationError, "webhook authorizer does not support user rule resolution");
  });

  it("lets someone impersonate, bind and escalate", async () => {
    let mayEscalate = false;
    await using at = await start(({ resourceAttributes: { verb = "" } = {} }) => ({
      allowed: verb === "escalate" || verb === "bind" ? mayEscalate : true,
    }));
    const whoAmI = { method: "POST", as: ann, headers: { "impersonate-user": "carl" }, body: {} };
    const self = await at.server.call("/apis/authentication.k8s.io/v1/selfsubjectreviews", whoAmI);
    assert.equal(self.json.status.userInfo.username, "carl");
    const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    const role = { metadata: { name: "all" }, rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }] };
    assert.equal((await at.server.call(roles, { method: "POST", as: ann, body: role })).code, 403);
    mayEscalate = true;
    assert.equal((await at.server.call(roles, { method: "POST", as: ann, body: role })).code, 201);
  });

  it("is asked by the expressions of policies, which wait for it", async () => {
    await using at = await start(({ resourceAttributes: { verb = "", name } = {} }) => ({ allowed: verb !== "break" || name === "a" }));
    const path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic";
    const resourceRules = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["CREATE"] }];
    const may = (verb: string) => `authorizer.requestResource.check('${verb}').allowed()`;
    const spec = {
      matchConstraints: { resourceRules },
      variables: [{ name: "mayMend", expression: may("mend") }],
      validations: [{ expression: `variables.mayMend && ${may("break")}`, message: "may not break" }],
    };
    await at.server.call(`${path}ies`, { method: "POST", body: { metadata: { name: "p" }, spec } });
    const binding = { metadata: { name: "b" }, spec: { policyName: "p", validationActions: ["Deny"] } };
    await at.server.call(`${path}ybindings`, { method: "POST", body: binding });
    assert.equal((await at.server.call(configMaps, configMap("a"))).code, 201);
    const refused = await at.server.call(configMaps, configMap("b"));
    assert.match(refused.json.message, /may not break$/);
  });

  it("that cannot be reached makes what nobody else allows an error, and nothing else", async () => {
    await using at = await start(() => ({}));
    await at.hook[Symbol.asyncDispose]();
    assert.equal((await at.server.call("/version", { as: ann })).code, 200);
    const failed = await at.server.call(configMaps, { as: ann });
    assert.equal(failed.code, 500);
    assert.match(failed.json.message, /ECONNREFUSED/);
  });
});
