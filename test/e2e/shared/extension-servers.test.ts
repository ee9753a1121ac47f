// Servers behind real Services on a node's pod network: an aggregated API, and a webhook.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createTestCa } from "../../../src/apiserver/front/fake-server.ts";
import { Cluster, eventually } from "../cluster.fixture.ts";

describe("extension servers behind services", () => {
  let cluster: Cluster;
  let caBundle: string;
  before(async () => {
    cluster = await Cluster.shared("extensions");
    const ca = await createTestCa("extension-ca");
    caBundle = Buffer.from(ca.cert).toString("base64");
    const { cert, key } = await ca.issue("CN=extension", ["extension.extended.svc"]);
    await cluster.kubectl("create", "namespace", "extended");
    const metadata = { name: "extension", namespace: "extended" };
    const data = { "tls.crt": cert, "tls.key": key };
    await cluster.apply({ apiVersion: "v1", kind: "Secret", metadata, type: "kubernetes.io/tls", stringData: data });
    const program = join(import.meta.dirname, "extension-server.mjs");
    await cluster.kubectl("create", "configmap", "extension", "-n", "extended", `--from-file=app.mjs=${program}`);
    const account = "--serviceaccount=extended:default";
    await cluster.kubectl("create", "clusterrolebinding", "extension", "--clusterrole=system:auth-delegator", account);
    const reader = "--role=extension-apiserver-authentication-reader";
    await cluster.kubectl("create", "rolebinding", "extension", "-n", "kube-system", reader, account);
    const labels = { app: "extension" };
    const container = {
      name: "server",
      image: "kubia",
      command: ["node", "/program/app.mjs"],
      volumeMounts: ["program", "certs"].map((name) => ({ name, mountPath: `/${name}` })),
      readinessProbe: { httpGet: { path: "/healthz", port: 8443, scheme: "HTTPS" }, periodSeconds: 1 },
    };
    const volumes = [
      { name: "program", configMap: { name: "extension" } },
      { name: "certs", secret: { secretName: "extension" } },
    ];
    const template = { metadata: { labels }, spec: { nodeName: "node-2", volumes, containers: [container] } };
    await cluster.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { selector: { matchLabels: labels }, template } });
    await cluster.kubectl("expose", "deployment", "extension", "-n", "extended", "--port=443", "--target-port=8443");
    await cluster.kubectl("rollout", "status", "deployment/extension", "-n", "extended", "--timeout=60s");
  });
  after(() => cluster[Symbol.asyncDispose]());

  it("an aggregated API is a part of the API: for kubectl, by RBAC, and gone with its APIService", async () => {
    const service = { namespace: "extended", name: "extension" };
    const spec = { group: "wardle.example.com", version: "v1", groupPriorityMinimum: 2000, versionPriority: 200, caBundle, service };
    await cluster.apply({ apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: { name: "v1.wardle.example.com" }, spec });
    await cluster.kubectl("wait", "--for=condition=Available", "apiservice/v1.wardle.example.com", "--timeout=30s");
    const flunder = { apiVersion: "wardle.example.com/v1", kind: "Flunder", metadata: { name: "f" } };
    await eventually("kubectl creates one", async () => {
      const { code } = await cluster.tryKubectl(["create", "--validate=false", "-f", "-"], JSON.stringify(flunder));
      return code === 0;
    });
    assert.equal(await cluster.kubectl("get", "flunders", "-o", "name"), "flunder.wardle.example.com/f\n");
    const refused = await cluster.tryKubectl(["get", "flunders", "--as=ann"]);
    assert.match(refused.stderr, /Forbidden/);
    await cluster.kubectl("create", "role", "flunders", "--verb=list", "--resource=flunders.wardle.example.com");
    await cluster.kubectl("create", "rolebinding", "flunders", "--role=flunders", "--user=ann");
    await eventually("ann may see it", async () => (await cluster.tryKubectl(["get", "flunders", "--as=ann"])).code === 0);
    await cluster.kubectl("delete", "flunder", "f");
    await cluster.kubectl("delete", "apiservice", "v1.wardle.example.com");
    await eventually("the group is gone", async () => !(await cluster.kubectl("api-versions")).includes("wardle"));
  });

  it("a webhook changes what is created, and fails closed when nobody answers", async () => {
    const webhook = {
      name: "mutate.example.com",
      clientConfig: { service: { namespace: "extended", name: "extension", path: "/mutate" }, caBundle },
      rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "hooked-by-service" } },
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
    };
    await cluster.kubectl("create", "namespace", "hooked-by-service");
    const kind = "MutatingWebhookConfiguration";
    await cluster.apply({ apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name: "mutate" }, webhooks: [webhook] });
    await cluster.kubectl("create", "configmap", "changed", "-n", "hooked-by-service");
    assert.equal(
      await cluster.kubectl("get", "configmap", "changed", "-n", "hooked-by-service", "-o", "jsonpath={.metadata.labels.seen}"),
      "by-the-hook",
    );
    await cluster.kubectl("scale", "deployment", "extension", "-n", "extended", "--replicas=0");
    await cluster.kubectl("wait", "--for=delete", "pod", "-l", "app=extension", "-n", "extended", "--timeout=60s");
    const { code, stderr } = await cluster.tryKubectl(["create", "configmap", "refused", "-n", "hooked-by-service"]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /failed calling webhook "mutate.example.com": failed to call webhook: .*no endpoints available for service "extension"/,
    );
    await cluster.kubectl("delete", "mutatingwebhookconfiguration", "mutate");
  });
});
