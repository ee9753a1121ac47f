// Controllers that keep small things of the cluster: quotas, aggregated roles, tokens, mirrored endpoints, service ranges.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { Secret } from "../../../src/api/types/core/v1.ts";
import {
  bootstrapSignerController,
  clusterRoleAggregationController,
  endpointSliceMirroringController,
  legacyTokenCleanerController,
  resourceClaimController,
  resourceQuotaController,
  serviceAccountTokenController,
  serviceCidrController,
  tokenCleanerController,
} from "../../../src/controllers/index.ts";
import { isNotFound } from "../../../src/machinery/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const inDefault = { namespace: "default" };
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("resource quotas", () => {
  const countableResources = () => [resources.pods, resources.configmaps, resources.secrets];
  const start = () => ControllerCluster.start((context) => resourceQuotaController(context, { countableResources }));
  const statusOf = async (cluster: ControllerCluster) => (await cluster.client.get(resources.resourcequotas, "q", inDefault)).status;

  it("tell at once what is used, and what is left after a deletion", async () => {
    await using cluster = await start();
    for (const name of ["a", "b"]) await cluster.create(resources.configmaps, { metadata: { name, ...inDefault } });
    const hard = { configmaps: "5", "count/secrets": "3" };
    await cluster.create(resources.resourcequotas, { metadata: { name: "q", ...inDefault }, spec: { hard } });
    await cluster.clock.advance(1_000);
    assert.deepEqual(await statusOf(cluster), { hard, used: { configmaps: "2", "count/secrets": "0" } });
    await cluster.client.delete(resources.configmaps, "a", inDefault);
    await cluster.clock.advance(1_000);
    assert.equal((await statusOf(cluster))?.used?.["configmaps"], "1");
  });

  it("follow a change of their limits", async () => {
    await using cluster = await start();
    await cluster.create(resources.resourcequotas, { metadata: { name: "q", ...inDefault }, spec: { hard: { pods: "5" } } });
    await cluster.clock.advance(1_000);
    const patch = { spec: { hard: { pods: "9" } } };
    await cluster.client.patch(resources.resourcequotas, "q", patch, { ...inDefault, type: "application/merge-patch+json" });
    await cluster.clock.advance(1_000);
    assert.deepEqual(await statusOf(cluster), { hard: { pods: "9" }, used: { pods: "0" } });
  });

  it("give back what a pod took when it has ended, and write nothing at rest", async () => {
    await using cluster = await start();
    await cluster.createPod("p");
    await cluster.create(resources.resourcequotas, {
      metadata: { name: "q", ...inDefault },
      spec: { hard: { pods: "5", "count/pods": "5" } },
    });
    await cluster.clock.advance(1_000);
    assert.deepEqual((await statusOf(cluster))?.used, { pods: "1", "count/pods": "1" });
    const pod = await cluster.client.get(resources.pods, "p", inDefault);
    const status = { ...pod.status, phase: "Succeeded" };
    await cluster.client.update(resources.pods, { ...pod, status }, { ...inDefault, subresource: "status" });
    await cluster.clock.advance(1_000);
    assert.deepEqual((await statusOf(cluster))?.used, { pods: "0", "count/pods": "1" });
    const before = await cluster.revision();
    await cluster.clock.advance(1_200_000);
    assert.equal(await cluster.revision(), before);
  });
});

describe("aggregated cluster roles", () => {
  it("follow the roles that they consist of", async () => {
    await using cluster = await ControllerCluster.start(clusterRoleAggregationController);
    const part = (name: string) => ({
      metadata: { name, labels: { to: "all" } },
      rules: [{ verbs: ["get"], apiGroups: [""], resources: [name] }],
    });
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { to: "all" } }] };
    await cluster.create(resources.clusterroles, { metadata: { name: "all" }, aggregationRule, rules: [] });
    for (const name of ["pods", "nodes"]) await cluster.create(resources.clusterroles, part(name));
    const rulesOf = async () => (await cluster.client.get(resources.clusterroles, "all")).rules?.map((rule) => rule.resources?.[0]);
    await cluster.clock.advance(100);
    assert.deepEqual(await rulesOf(), ["nodes", "pods"]);
    await cluster.client.delete(resources.clusterroles, "nodes");
    await cluster.clock.advance(100);
    assert.deepEqual(await rulesOf(), ["pods"]);
  });
});

describe("bootstrap tokens", () => {
  const token = (expiration: string): Secret => ({
    metadata: { name: "bootstrap-token-abcdef", namespace: "kube-system" },
    type: "bootstrap.kubernetes.io/token",
    data: {
      "token-id": base64("abcdef"),
      "token-secret": base64("0123456789abcdef"),
      "usage-bootstrap-signing": base64("true"),
      expiration: base64(expiration),
    },
  });

  it("sign cluster-info as long as they last, and are removed then", async () => {
    await using cluster = await ControllerCluster.start(bootstrapSignerController, tokenCleanerController);
    const info = { metadata: { name: "cluster-info", namespace: "kube-public" }, data: { kubeconfig: "x" } };
    await cluster.create(resources.configmaps, info);
    await cluster.create(resources.secrets, token("2026-01-01T01:00:00Z"));
    await cluster.clock.advance(1_000);
    const keys = async () =>
      Object.keys((await cluster.client.get(resources.configmaps, "cluster-info", { namespace: "kube-public" })).data ?? {});
    assert.deepEqual(await keys(), ["kubeconfig", "jws-kubeconfig-abcdef"]);
    await cluster.clock.advance(3_600_000);
    assert.deepEqual(await keys(), ["kubeconfig"]);
    await assert.rejects(cluster.client.get(resources.secrets, "bootstrap-token-abcdef", { namespace: "kube-system" }), isNotFound);
  });
});

describe("secrets that hold a token", () => {
  it("get one that their account's users can show, and go with the account", async () => {
    const issue = async () => "a-token";
    await using cluster = await ControllerCluster.start((context) => serviceAccountTokenController(context, { caPem: "CA", issue }));
    await cluster.create(resources.serviceaccounts, { metadata: { name: "robot", ...inDefault } });
    const annotations = { "kubernetes.io/service-account.name": "robot" };
    await cluster.create(resources.secrets, {
      metadata: { name: "s", ...inDefault, annotations },
      type: "kubernetes.io/service-account-token",
    });
    await cluster.clock.advance(1_000);
    const { data } = await cluster.client.get(resources.secrets, "s", inDefault);
    assert.deepEqual(data, { "ca.crt": base64("CA"), namespace: base64("default"), token: base64("a-token") });
    await cluster.client.delete(resources.serviceaccounts, "robot", inDefault);
    await cluster.clock.advance(1_000);
    await assert.rejects(cluster.client.get(resources.secrets, "s", inDefault), isNotFound);
  });
});

describe("tokens that were made for accounts by themselves", () => {
  it("are marked when nobody used them for a year, and deleted when they were marked for one", async () => {
    await using cluster = await ControllerCluster.start();
    const tracking = { name: "kube-apiserver-legacy-service-account-token-tracking", namespace: "kube-system" };
    await cluster.create(resources.configmaps, { metadata: tracking, data: { since: "2026-01-01" } });
    const secrets = [{ name: "unused" }, { name: "marked" }];
    const account = await cluster.create(resources.serviceaccounts, { metadata: { name: "bot", ...inDefault }, secrets });
    const annotations = { "kubernetes.io/service-account.name": "bot", "kubernetes.io/service-account.uid": account.metadata.uid ?? "" };
    const marked = { "kubernetes.io/legacy-token-invalid-since": "2026-01-01" };
    for (const [name, labels] of Object.entries({ unused: {}, marked, own: {} })) {
      const metadata = { name, ...inDefault, annotations, labels };
      await cluster.create(resources.secrets, { metadata, type: "kubernetes.io/service-account-token" });
    }
    await cluster.clock.advance(367 * 86_400_000);
    cluster.run(legacyTokenCleanerController);
    await cluster.clock.advance(1_000);
    const { items } = await cluster.client.list(resources.secrets, inDefault);
    assert.deepEqual(
      items.map(({ metadata: { name, labels = {} } }) => [name, labels["kubernetes.io/legacy-token-invalid-since"]]),
      [
        ["own", undefined],
        ["unused", "2027-01-03"],
      ],
    );
  });
});

describe("endpoints of a service without selector", () => {
  it("are mirrored into slices", async () => {
    await using cluster = await ControllerCluster.start(endpointSliceMirroringController);
    await cluster.create(resources.services, { metadata: { name: "db", ...inDefault }, spec: { ports: [{ port: 5432 }] } });
    const subsets = [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 5432 }] }];
    await cluster.create(resources.endpoints, { metadata: { name: "db", ...inDefault }, subsets });
    await cluster.clock.advance(100);
    const slices = async () =>
      (await cluster.client.list(resources.endpointslices, { ...inDefault, labelSelector: "kubernetes.io/service-name=db" })).items;
    assert.deepEqual(
      (await slices()).map(({ endpoints }) => endpoints?.[0]?.addresses),
      [["192.0.2.1"]],
    );
    await cluster.client.delete(resources.endpoints, "db", inDefault);
    await cluster.clock.advance(100);
    assert.deepEqual(await slices(), []);
  });
});

describe("service ranges and addresses", () => {
  it("have the cluster's own range, Ready, and an object for each address in use", async () => {
    await using cluster = await ControllerCluster.start(serviceCidrController);
    const service = await cluster.create(resources.services, { metadata: { name: "web", ...inDefault }, spec: { ports: [{ port: 80 }] } });
    await cluster.clock.advance(100);
    const range = await cluster.client.get(resources.servicecidrs, "kubernetes");
    assert.deepEqual(range.spec?.cidrs, ["10.96.0.0/12"]);
    assert.deepEqual(range.metadata.finalizers, ["networking.k8s.io/service-cidr-finalizer"]);
    assert.deepEqual(
      range.status?.conditions?.map(({ type, status }) => [type, status]),
      [["Ready", "True"]],
    );
    const address = service.spec?.clusterIP ?? "";
    const { spec } = await cluster.client.get(resources.ipaddresses, address);
    assert.deepEqual(spec?.parentRef, { group: "", resource: "services", namespace: "default", name: "web" });
    await cluster.client.delete(resources.services, "web", inDefault);
    await cluster.clock.advance(100);
    await assert.rejects(cluster.client.get(resources.ipaddresses, address), isNotFound);
  });

  it("keep a range as long as an address needs it", async () => {
    await using cluster = await ControllerCluster.start(serviceCidrController);
    await cluster.create(resources.servicecidrs, { metadata: { name: "extra" }, spec: { cidrs: ["192.168.0.0/24"] } });
    const parentRef = { resource: "services", namespace: "default", name: "x" };
    await cluster.create(resources.ipaddresses, { metadata: { name: "192.168.0.7" }, spec: { parentRef } });
    await cluster.clock.advance(100);
    await cluster.client.delete(resources.servicecidrs, "extra");
    await cluster.clock.advance(100);
    const going = await cluster.client.get(resources.servicecidrs, "extra");
    assert.deepEqual(
      going.status?.conditions?.map(({ status, reason }) => [status, reason]),
      [["False", "Terminating"]],
    );
    await cluster.client.delete(resources.ipaddresses, "192.168.0.7");
    await cluster.clock.advance(100);
    await assert.rejects(cluster.client.get(resources.servicecidrs, "extra"), isNotFound);
  });
});

describe("resource claims of templates", () => {
  it("are made for their pod, told to it, and removed when it is done", async () => {
    await using cluster = await ControllerCluster.start(resourceClaimController);
    const spec = { spec: { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpu" } }] } } };
    await cluster.create(resources.serviceaccounts, { metadata: { name: "default", ...inDefault } });
    await cluster.create(resources.pods, {
      metadata: { name: "p", ...inDefault },
      spec: { containers: [{ name: "c", image: "i" }], resourceClaims: [{ name: "gpu", resourceClaimTemplateName: "gpu" }] },
    });
    await cluster.clock.advance(100);
    assert.equal((await cluster.events("FailedResourceClaimCreation")).length, 1);
    await cluster.create(resources.resourceclaimtemplates, { metadata: { name: "gpu", ...inDefault }, spec });
    await cluster.clock.advance(100);
    const [name, ...more] = await cluster.names(resources.resourceclaims, "default");
    assert.deepEqual(more, []);
    const pod = await cluster.client.get(resources.pods, "p", inDefault);
    assert.deepEqual(pod.status?.resourceClaimStatuses, [{ name: "gpu", resourceClaimName: name }]);
    await cluster.client.update(
      resources.pods,
      { ...pod, status: { ...pod.status, phase: "Succeeded" } },
      { ...inDefault, subresource: "status" },
    );
    await cluster.clock.advance(100);
    assert.deepEqual(await cluster.names(resources.resourceclaims, "default"), []);
  });
});
