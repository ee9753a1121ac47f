// Webhooks and policies on custom resources and on their definitions.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { WebhookServer } from "../../../src/apiserver/webhooks/testing/webhook-server.ts";
import { CrdCluster, type Custom, cronTabs, definition, version } from "../crd/crd-cluster.ts";

interface Sent {
  readonly uid: string;
  readonly operation: string;
  readonly kind: { readonly version: string };
  readonly object: Custom | null;
}

const merge = { type: "application/merge-patch+json", namespace: "default" } as const;
const tabRules = [{ operations: ["*"], apiGroups: ["stable.example.com"], apiVersions: ["v1"], resources: ["crontabs"] }];
const patchOf = (...operations: object[]) => ({
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});

/** A cluster and a webhook that answers what `says` has of each request, allowed unless it says otherwise. */
async function begin(says: (sent: Sent) => object) {
  const hooks = await WebhookServer.start();
  const cluster = await CrdCluster.begin();
  const sent: Sent[] = [];
  hooks.answering = ({ body }) => {
    const { request } = body as { readonly request: Sent };
    sent.push(request);
    const response = { uid: request.uid, allowed: true, ...says(request) };
    return { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response };
  };
  const clientConfig = { url: `https://127.0.0.1:${hooks.port}/`, caBundle: hooks.caBundle };
  const webhook = (rules: object[]) => ({
    name: "w.example.com",
    clientConfig,
    rules,
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  });
  const metadata = { name: "w" };
  const dispose = async () => {
    await cluster[Symbol.asyncDispose]();
    await hooks[Symbol.asyncDispose]();
  };
  return {
    cluster,
    sent,
    async validating(rules: object[] = tabRules) {
      await cluster.create(resources.validatingwebhookconfigurations, { metadata, webhooks: [webhook(rules)] } as never);
      await cluster.clock.advance(1);
    },
    async mutating(rules: object[] = tabRules) {
      await cluster.create(resources.mutatingwebhookconfigurations, { metadata, webhooks: [webhook(rules)] } as never);
      await cluster.clock.advance(1);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

describe("webhooks on custom resources", () => {
  it("deny creation, update and deletion", async () => {
    await using at = await begin(({ operation, object }) => ({
      allowed: operation === "CREATE" ? object?.spec?.["image"] !== "bad" : false,
      status: { message: `no ${operation}` },
    }));
    const { client } = at.cluster;
    await at.cluster.define();
    await at.validating();
    await assert.rejects(client.create(cronTabs, at.cluster.tab({ image: "bad" })), /"w.example.com" denied the request: no CREATE/);
    await client.create(cronTabs, at.cluster.tab({ image: "good" }));
    await assert.rejects(client.patch(cronTabs, "my-tab", { spec: { image: "other" } }, merge), /denied the request: no UPDATE/);
    await assert.rejects(client.delete(cronTabs, "my-tab", { namespace: "default" }), /denied the request: no DELETE/);
  });

  it("mutate, and what the schema does not know is pruned", async () => {
    await using at = await begin(() =>
      patchOf({ op: "add", path: "/spec/image", value: "set" }, { op: "add", path: "/spec/unknown", value: "dropped" }),
    );
    await at.cluster.define();
    await at.mutating();
    const { spec } = await at.cluster.client.create(cronTabs, at.cluster.tab({}));
    assert.deepEqual(spec, { cronSpec: "* * * * *", replicas: 1, image: "set" });
  });

  it("see the version that they ask for when another one is written and stored", async () => {
    await using at = await begin(() => patchOf({ op: "add", path: "/spec/image", value: "set" }));
    await at.cluster.define(definition({ versions: [version("v1", { storage: false }), version("v2")] }));
    await at.mutating();
    const v2 = { ...cronTabs, version: "v2" };
    const tab = at.cluster.tab({}, { apiVersion: "stable.example.com/v2" });
    const created = await at.cluster.client.create(v2, tab);
    assert.deepEqual([created.apiVersion, created.spec?.["image"]], ["stable.example.com/v2", "set"]);
    assert.deepEqual(
      at.sent.map(({ kind, object }) => [kind.version, object?.apiVersion]),
      [["v1", "stable.example.com/v1"]],
    );
  });

  it("deny definitions", async () => {
    await using at = await begin(() => ({ allowed: false }));
    await at.validating([
      { operations: ["CREATE"], apiGroups: ["apiextensions.k8s.io"], apiVersions: ["*"], resources: ["customresourcedefinitions"] },
    ]);
    await assert.rejects(at.cluster.define(), /admission webhook "w.example.com" denied the request without explanation/);
  });
});

describe("policies on custom resources", () => {
  it("judge them, with custom resources as parameters", async () => {
    await using cluster = await CrdCluster.begin();
    await cluster.define();
    const names = { plural: "limits", kind: "Limit" };
    const properties = { max: { type: "integer" } };
    const limits = version("v1", { schema: { openAPIV3Schema: { type: "object", properties } } });
    await cluster.define(definition({ names, versions: [limits] }));
    const limit = { ...cronTabs, resource: "limits", kind: "Limit" };
    await cluster.client.create(limit, {
      apiVersion: "stable.example.com/v1",
      kind: "Limit",
      metadata: { name: "l", namespace: "default" },
      max: 3,
    });
    const policy = {
      matchConstraints: { resourceRules: tabRules },
      paramKind: { apiVersion: "stable.example.com/v1", kind: "Limit" },
      validations: [
        {
          expression: "!has(object.spec.replicas) || object.spec.replicas <= params.max",
          messageExpression: "'at most ' + string(params.max)",
        },
      ],
    };
    await cluster.create(resources.validatingadmissionpolicies, { metadata: { name: "p" }, spec: policy } as never);
    const paramRef = { name: "l", parameterNotFoundAction: "Deny" };
    const spec = { policyName: "p", validationActions: ["Deny"], paramRef };
    await cluster.create(resources.validatingadmissionpolicybindings, { metadata: { name: "b" }, spec });
    await cluster.clock.advance(1);
    await cluster.client.create(cronTabs, cluster.tab({ replicas: 3 }));
    await assert.rejects(
      cluster.client.patch(cronTabs, "my-tab", { spec: { replicas: 4 } }, merge),
      /ValidatingAdmissionPolicy 'p' with binding 'b' denied request: at most 3/,
    );
  });
});
