// Admission as kubectl's users meet it: webhooks, policies, Pod Security and quotas, with their messages and warnings.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { WebhookServer } from "../../../src/apiserver/webhooks/testing/webhook-server.ts";
import { Cluster, eventually } from "../cluster.fixture.ts";

const GROUP = "admissionregistration.k8s.io/v1";

async function stderrOf(cluster: Cluster, ...args: string[]): Promise<string> {
  const { code, stderr } = await cluster.tryKubectl(args);
  assert.notEqual(code, 0, `kubectl ${args.join(" ")} went well`);
  return stderr;
}

describe("admission", () => {
  let cluster: Cluster;
  let hooks: WebhookServer;
  before(async () => {
    cluster = await Cluster.shared("admission");
    hooks = await WebhookServer.start();
  });
  after(async () => {
    await hooks[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  it("webhooks deny what is created, and that someone attaches", async () => {
    hooks.answering = ({ body }) => {
      const { uid } = (body as { readonly request: { readonly uid: string } }).request;
      const response = { uid, allowed: false, status: { message: "the hook says no" }, warnings: ["beware"] };
      return { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response };
    };
    await cluster.kubectl("create", "namespace", "hooked");
    await cluster.kubectl("run", "idle", "-n", "hooked", "--image=busybox", "--restart=Never", "--", "sleep", "600");
    await cluster.kubectl("wait", "-n", "hooked", "--for=condition=Ready", "pod/idle", "--timeout=60s");
    const rules = [
      { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] },
      { operations: ["CONNECT"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods/attach"] },
    ];
    const webhook = {
      name: "no.example.com",
      clientConfig: { url: `https://127.0.0.1:${hooks.port}/`, caBundle: hooks.caBundle },
      rules,
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "hooked" } },
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
    };
    await cluster.apply({ apiVersion: GROUP, kind: "ValidatingWebhookConfiguration", metadata: { name: "no" }, webhooks: [webhook] });
    const refusal = 'admission webhook "no.example.com" denied the request: the hook says no';
    const created = await stderrOf(cluster, "create", "configmap", "c", "-n", "hooked");
    assert.ok(created.includes(refusal) && created.includes("Warning: beware"), created);
    const attached = await stderrOf(cluster, "attach", "-n", "hooked", "idle");
    assert.ok(attached.includes(refusal), attached);
    await cluster.kubectl("create", "configmap", "c", "-n", cluster.namespace);
    await cluster.kubectl("delete", "validatingwebhookconfiguration", "no");
  });

  it("policies deny and change", async () => {
    const resourceRules = [{ operations: ["CREATE", "UPDATE"], apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"] }];
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": cluster.namespace } };
    const matchConstraints = { resourceRules, namespaceSelector };
    const validations = [{ expression: "object.spec.replicas <= 5", messageExpression: "'too many: ' + string(object.spec.replicas)" }];
    const mutations = [
      {
        patchType: "ApplyConfiguration",
        applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"by": "policy"}}}' },
      },
    ];
    const at = (kind: string, name: string, spec: object) => cluster.apply({ apiVersion: GROUP, kind, metadata: { name }, spec });
    await at("ValidatingAdmissionPolicy", "few", { matchConstraints, validations });
    await at("ValidatingAdmissionPolicyBinding", "few", { policyName: "few", validationActions: ["Deny"] });
    await at("MutatingAdmissionPolicy", "mark", { matchConstraints, mutations });
    await at("MutatingAdmissionPolicyBinding", "mark", { policyName: "mark" });
    const refused = await stderrOf(cluster, "create", "deployment", "many", "--image=busybox", "--replicas=6");
    assert.ok(refused.includes("ValidatingAdmissionPolicy 'few' with binding 'few' denied request: too many: 6"), refused);
    await cluster.kubectl("create", "deployment", "few", "--image=busybox", "--replicas=0");
    const { metadata } = await cluster.get<{ metadata: { labels: Record<string, string> } }>("deployment", "few");
    assert.equal(metadata.labels["by"], "policy");
    const scaled = await stderrOf(cluster, "patch", "deployment", "few", "-p", '{"spec":{"replicas":9}}');
    assert.ok(scaled.includes("too many: 9"), scaled);
  });

  it("Pod Security refuses pods and warns about workloads", async () => {
    await cluster.kubectl("create", "namespace", "safe");
    await cluster.kubectl("label", "namespace", "safe", "pod-security.kubernetes.io/enforce=restricted");
    const refused = await stderrOf(cluster, "run", "p", "-n", "safe", "--image=busybox");
    assert.ok(
      refused.includes('violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "p" must set'),
      refused,
    );
    const { code, stderr } = await cluster.tryKubectl(["create", "deployment", "d", "-n", "safe", "--image=busybox", "--replicas=0"]);
    assert.equal(code, 0);
    assert.match(stderr, /Warning: would violate PodSecurity "restricted:latest"/);
  });

  it("quotas count what is there and refuse what goes beyond", async () => {
    await cluster.kubectl("create", "namespace", "small");
    await cluster.kubectl("create", "quota", "q", "-n", "small", "--hard=configmaps=2,pods=1");
    const used = () => cluster.kubectl("get", "quota", "q", "-n", "small", "-o", "jsonpath={.status.used.configmaps}");
    await eventually("the root CA's config map counts", async () => (await used()) === "1");
    await cluster.kubectl("create", "configmap", "a", "-n", "small");
    const refused = await stderrOf(cluster, "create", "configmap", "b", "-n", "small");
    assert.ok(refused.includes("exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2"), refused);
    await cluster.kubectl("delete", "configmap", "a", "-n", "small");
    await eventually("what is deleted counts no more", async () => (await used()) === "1");
    await cluster.kubectl("create", "configmap", "b", "-n", "small");
  });
});
