import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoreFixture, type Place } from "../registry/testing/core-fixture.ts";

const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "c", image: "i" }], ...spec },
});
const claim = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
});

async function start(): Promise<CoreFixture> {
  const server = await CoreFixture.start();
  await server.create("serviceaccounts", { metadata: { name: "default" } });
  return server;
}

async function specOf(created: Promise<{ readonly object: object }>) {
  return ((await created).object as { spec: Record<string, unknown> }).spec;
}

describe("DefaultStorageClass", () => {
  const storageClass = (name: string, isDefault: boolean) => ({
    metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": String(isDefault) } },
    provisioner: "p.example.com",
  });

  it("gives claims that name no class the newest default one", async () => {
    await using server = await start();
    const classes = "storage.k8s.io/v1/storageclasses";
    await server.create(classes, storageClass("old", true));
    await server.clock.advance(5_000);
    await server.create(classes, storageClass("new", true));
    await server.create(classes, storageClass("other", false));
    await server.clock.advance(0);
    assert.equal((await specOf(server.create("persistentvolumeclaims", claim("a"))))["storageClassName"], "new");
    assert.equal((await specOf(server.create("persistentvolumeclaims", claim("b", { storageClassName: "" }))))["storageClassName"], "");
  });
});

describe("StorageObjectInUseProtection", () => {
  it("gives new claims and volumes their finalizers", async () => {
    await using server = await start();
    const { object } = await server.create("persistentvolumeclaims", claim("a"));
    assert.deepEqual(object.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
    const spec = { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/d" } };
    const volume = await server.create("persistentvolumes", { metadata: { name: "v" }, spec });
    assert.deepEqual(volume.object.metadata.finalizers, ["kubernetes.io/pv-protection"]);
  });
});

describe("PersistentVolumeClaimResize", () => {
  it("lets bound claims grow whose class allows it", async () => {
    await using server = await start();
    for (const [name, allowVolumeExpansion] of [
      ["growing", true],
      ["fixed", false],
    ] as const) {
      await server.create("storage.k8s.io/v1/storageclasses", { metadata: { name }, provisioner: "p.example.com", allowVolumeExpansion });
    }
    const grow = async (name: string, storageClassName: string, phase: string) => {
      const created = await server.create("persistentvolumeclaims", claim(name, { storageClassName, volumeName: "v" }));
      const { stored } = await server.core.update(
        server.scope("persistentvolumeclaims", { name, subresource: "status" }),
        { ...created.object, status: { phase } } as never,
        {},
      );
      const spec = { ...(stored.object as { spec?: object }).spec, resources: { requests: { storage: "2Gi" } } };
      return server.update("persistentvolumeclaims", { ...stored.object, spec } as never);
    };
    await grow("a", "growing", "Bound");
    await assert.rejects(
      grow("c", "fixed", "Bound"),
      /only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize/,
    );
  });
});

describe("RuntimeClass", () => {
  it("adds its overhead and where its pods can run", async () => {
    await using server = await start();
    const scheduling = { nodeSelector: { runtime: "box" }, tolerations: [{ key: "box", operator: "Exists" }] };
    const overhead = { podFixed: { memory: "64Mi" } };
    await server.create("node.k8s.io/v1/runtimeclasses", { metadata: { name: "box" }, handler: "box", overhead, scheduling });
    const spec = await specOf(server.create("pods", pod("a", { runtimeClassName: "box", nodeSelector: { disk: "ssd" } })));
    assert.deepEqual(spec["overhead"], { memory: "64Mi" });
    assert.deepEqual(spec["nodeSelector"], { disk: "ssd", runtime: "box" });
    assert.ok((spec["tolerations"] as { key: string }[]).some(({ key }) => key === "box"));
    const refused = (more: object, pattern: RegExp) => assert.rejects(server.create("pods", pod("x", more)), pattern);
    await refused({ runtimeClassName: "none" }, /pods "x" is forbidden: pod rejected: RuntimeClass "none" not found/);
    await refused({ overhead: { cpu: "1" } }, /Pod Overhead set without corresponding RuntimeClass defined Overhead/);
    await refused({ runtimeClassName: "box", overhead: { memory: "1Mi" } }, /Pod's Overhead doesn't match RuntimeClass's defined Overhead/);
    await refused(
      { runtimeClassName: "box", nodeSelector: { runtime: "none" } },
      /conflict: runtimeClass.scheduling.nodeSelector\[runtime\] = box/,
    );
  });
});

describe("DefaultIngressClass", () => {
  it("gives ingresses that name no class the default one", async () => {
    await using server = await start();
    const annotations = { "ingressclass.kubernetes.io/is-default-class": "true" };
    await server.create("networking.k8s.io/v1/ingressclasses", {
      metadata: { name: "web", annotations },
      spec: { controller: "example.com/c" },
    });
    await server.clock.advance(0);
    const backend = { service: { name: "s", port: { number: 80 } } };
    const ingress = (name: string, more: object = {}) => ({ metadata: { name }, spec: { defaultBackend: backend, ...more } });
    assert.equal((await specOf(server.create("networking.k8s.io/v1/ingresses", ingress("a"))))["ingressClassName"], "web");
    const own = specOf(server.create("networking.k8s.io/v1/ingresses", ingress("b", { ingressClassName: "own" })));
    assert.equal((await own)["ingressClassName"], "own");
  });
});

describe("PodTopologyLabels", () => {
  it("tells a pod the zone of the node that it is bound to", async () => {
    await using server = await start();
    const labels = { "topology.kubernetes.io/zone": "z1", "topology.kubernetes.io/region": "r1", other: "x" };
    await server.create("nodes", { metadata: { name: "n", labels } });
    await server.create("pods", pod("a", {}, { labels: { app: "a" } }));
    await server.clock.advance(0);
    await server.create("pods", { metadata: { name: "a" }, target: { kind: "Node", name: "n" } }, { name: "a", subresource: "binding" });
    const { object } = await server.get("pods", "a");
    assert.deepEqual(object.metadata.labels, { app: "a", "topology.kubernetes.io/zone": "z1", "topology.kubernetes.io/region": "r1" });
  });
});

describe("ServiceAccount", () => {
  it("keeps a marked account's pods from secrets that it does not list", async () => {
    await using server = await start();
    const annotations = { "kubernetes.io/enforce-mountable-secrets": "true" };
    await server.create("serviceaccounts", { metadata: { name: "tight", annotations }, secrets: [{ name: "own" }] });
    await server.clock.advance(0);
    const using = (secretName: string) => ({ serviceAccountName: "tight", volumes: [{ name: "v", secret: { secretName } }] });
    await server.create("pods", pod("a", using("own")));
    await assert.rejects(server.create("pods", pod("b", using("foreign"))), {
      message:
        'pods "b" is forbidden: volume with secret.secretName="foreign" is not allowed because service account tight does not reference that secret',
    });
  });
});

describe("certificate requests", () => {
  const SIGNER = "kubernetes.io/kube-apiserver-client";
  const CSR = "certificates.k8s.io/v1/certificatesigningrequests";
  const pem = Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----").toString("base64");
  const request = (spec: object = {}) => ({
    metadata: { name: "r" },
    spec: { request: pem, signerName: SIGNER, usages: ["client auth"], ...spec },
  });

  it("name the one who made them, whatever they say", async () => {
    await using server = await start();
    const spec = await specOf(server.create(CSR, request({ username: "admin", groups: ["system:masters"] })));
    assert.deepEqual([spec["username"], spec["groups"]], ["alice", ["system:authenticated"]]);
  });

  it("are approved and signed only by those who may for their signer", async () => {
    const authorizer = { authorize: ({ resource }: { resource: string }) => ({ allowed: resource !== "signers", reason: "" }) };
    await using server = await CoreFixture.start({ authorizer });
    const { object } = await server.create(CSR, request());
    const update = (status: object, place: Place) => server.update(CSR, { ...object, status } as never, place);
    const conditions = [{ type: "Approved", status: "True", reason: "R", message: "m" }];
    await assert.rejects(
      update({ conditions }, { subresource: "approval" }),
      /user not permitted to approve requests with signerName "kubernetes.io\/kube-apiserver-client"/,
    );
    await assert.rejects(update({ certificate: pem }, { subresource: "status" }), /user not permitted to sign requests with signerName/);
  });
});

describe("DeviceAdminAccess", () => {
  const asking = { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpu", adminAccess: true } }] } };

  it("lets claims and templates ask for it only in namespaces that are marked", async () => {
    await using server = await start();
    const kinds = [
      ["resource.k8s.io/v1/resourceclaims", { metadata: { name: "c" }, spec: asking }],
      ["resource.k8s.io/v1/resourceclaimtemplates", { metadata: { name: "t" }, spec: { spec: asking } }],
    ] as const;
    for (const [resource, object] of kinds) {
      await assert.rejects(server.create(resource, object), {
        message:
          /spec.devices.requests\[0\].adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io\/admin-access: true` label on the containing namespace$/,
      });
    }
    const labels = { "resource.kubernetes.io/admin-access": "true" };
    const namespace = (await server.get("namespaces", "default")).object;
    const metadata = { ...namespace.metadata, labels };
    await server.update("namespaces", { ...namespace, metadata });
    for (const [resource, object] of kinds) await server.create(resource, object);
  });
});
