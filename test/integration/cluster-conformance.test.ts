// The behaviours of Kubernetes' conformance suite that quotas, storage, certificates and service ranges answer for, each
// by its name there.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { type ResourceRef, resources } from "../../src/api/index.ts";
import type { Pod, ResourceQuota } from "../../src/api/types/core/v1.ts";
import { isForbidden, isNotFound, type KubeObject, writePkcs10 } from "../../src/machinery/index.ts";
import { TestAuthority } from "../../src/machinery/x509/test-authority.fixture.ts";
import { type Cluster, createCluster } from "../../src/testing/index.ts";

const inDefault = { namespace: "default" };
const MERGE = "application/merge-patch+json";

function optionsOf(resource: ResourceRef<KubeObject>) {
  return resource.namespaced ? inDefault : {};
}

function create<T extends KubeObject>(cluster: Cluster, resource: ResourceRef<T>, object: object) {
  return cluster.client.create(resource, object as never, optionsOf(resource));
}

/** Create, get, list, patch, update, watch, delete, delete as a collection. */
async function lifecycle<T extends KubeObject>(cluster: Cluster, resource: ResourceRef<T>, make: (name: string) => object): Promise<void> {
  const { client } = cluster;
  const options = optionsOf(resource);
  const labelled = (name: string) => {
    const object = make(name) as { readonly metadata: object };
    return { ...object, metadata: { ...object.metadata, labels: { test: "conformance" } } };
  };
  const [first = "", second = ""] = ["a", "b"].map((name) => (make(name) as KubeObject).metadata.name);
  const { resourceVersion } = await client.list(resource, options);
  await create(cluster, resource, labelled("a"));
  const selection = { ...options, labelSelector: "test=conformance" };
  assert.equal((await client.list(resource, selection)).items.length, 1);
  const patched = await client.patch(resource, first, { metadata: { labels: { patched: "true" } } }, { ...options, type: MERGE });
  assert.equal(patched.metadata.labels?.["patched"], "true");
  const updated = { ...patched, metadata: { ...patched.metadata, annotations: { ...patched.metadata.annotations, updated: "true" } } };
  assert.equal((await client.update(resource, updated, options)).metadata.annotations?.["updated"], "true");
  await client.delete(resource, first, options);
  await create(cluster, resource, labelled("b"));
  await client.deleteCollection(resource, selection);
  await cluster.clock.advance(2_000);
  assert.deepEqual((await client.list(resource, selection)).items, []);
  for (const name of [first, second]) await assert.rejects(client.get(resource, name, options), isNotFound);
  const types: string[] = [];
  for await (const events of client.watch(resource, { ...options, resourceVersion, timeoutSeconds: 1 })) {
    types.push(...events.flatMap((event) => (event.type === "BOOKMARK" || event.object.metadata.name !== first ? [] : [event.type])));
    if (types.includes("DELETED")) break;
  }
  assert.deepEqual([types[0], types.at(-1)], ["ADDED", "DELETED"]);
}

const podOf = (name: string, cpu: string, spec: object = {}): Pod => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "c", image: "i", resources: cpu === "" ? {} : { requests: { cpu }, limits: { cpu } } }], ...spec },
});

describe("ResourceQuota", () => {
  const quota = (hard: Record<string, string>, spec: object = {}, name = "q"): ResourceQuota => ({
    metadata: { name, namespace: "default" },
    spec: { hard, ...spec },
  });
  const usedOf = async (cluster: Cluster, name = "q") => {
    await cluster.clock.advance(2_000);
    return (await cluster.client.get(resources.resourcequotas, name, inDefault)).status?.used;
  };

  it("status is promptly calculated", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await create(cluster, resources.resourcequotas, quota({ resourcequotas: "5" }));
    assert.deepEqual(await usedOf(cluster), { resourcequotas: "1" });
  });

  it("what was charged stands until it is counted again after five minutes", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await create(cluster, resources.resourcequotas, quota({ secrets: "5" }));
    assert.deepEqual(await usedOf(cluster), { secrets: "0" });
    const charged = await cluster.client.get(resources.resourcequotas, "q", inDefault);
    const status = { ...charged.status, used: { secrets: "3" } };
    await cluster.client.update(resources.resourcequotas, { ...charged, status }, { ...inDefault, subresource: "status" });
    assert.deepEqual(await usedOf(cluster), { secrets: "3" });
    await cluster.clock.advance(300_000);
    assert.deepEqual(await usedOf(cluster), { secrets: "0" });
  });

  const lives: readonly (readonly [string, ResourceRef<KubeObject>, string, object])[] = [
    ["a configMap", resources.configmaps, "configmaps", { metadata: { name: "x" } }],
    ["a secret", resources.secrets, "secrets", { metadata: { name: "x" } }],
    ["a service", resources.services, "services", { metadata: { name: "x" }, spec: { ports: [{ port: 80 }] } }],
    [
      "a replication controller",
      resources.replicationcontrollers,
      "replicationcontrollers",
      {
        metadata: { name: "x" },
        spec: {
          replicas: 0,
          selector: { a: "b" },
          template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
        },
      },
    ],
    [
      "a replica set",
      resources.replicasets,
      "count/replicasets.apps",
      {
        metadata: { name: "x" },
        spec: {
          replicas: 0,
          selector: { matchLabels: { a: "b" } },
          template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
        },
      },
    ],
    [
      "a persistent volume claim",
      resources.persistentvolumeclaims,
      "persistentvolumeclaims",
      {
        metadata: { name: "x" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "" },
      },
    ],
  ];
  for (const [what, resource, counted, object] of lives) {
    it(`capture the life of ${what}`, async () => {
      await using cluster = await createCluster({ nodes: 0 });
      const before = (await cluster.client.list(resource, inDefault)).items.length;
      await create(cluster, resources.resourcequotas, quota({ [counted]: String(before + 1) }));
      assert.deepEqual(await usedOf(cluster), { [counted]: String(before) });
      await create(cluster, resource, object);
      assert.deepEqual(await usedOf(cluster), { [counted]: String(before + 1) });
      await assert.rejects(create(cluster, resource, { ...object, metadata: { name: "y" } }), (error) => {
        assert.ok(isForbidden(error));
        assert.match((error as Error).message, /exceeded quota: q, requested: \S+=1, used: \S+, limited: /);
        return true;
      });
      await cluster.client.delete(resource, "x", { ...inDefault, options: { propagationPolicy: "Background" } });
      assert.deepEqual(await usedOf(cluster), { [counted]: String(before) });
    });
  }

  it("capture the life of a pod", async () => {
    await using cluster = await createCluster({ nodes: 1 });
    await create(cluster, resources.resourcequotas, quota({ pods: "2", cpu: "1", "requests.cpu": "1" }));
    await cluster.clock.advance(1_000);
    await create(cluster, resources.pods, podOf("a", "500m"));
    assert.deepEqual(await usedOf(cluster), { pods: "1", cpu: "500m", "requests.cpu": "500m" });
    await assert.rejects(create(cluster, resources.pods, podOf("b", "600m")), isForbidden);
    await cluster.client.delete(resources.pods, "a", inDefault);
    await cluster.clock.advance(60_000);
    assert.deepEqual(await usedOf(cluster), { pods: "0", cpu: "0", "requests.cpu": "0" });
  });

  it("best effort scope", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await create(cluster, resources.resourcequotas, quota({ pods: "5" }, { scopes: ["BestEffort"] }, "best"));
    await create(cluster, resources.resourcequotas, quota({ pods: "5" }, { scopes: ["NotBestEffort"] }, "not-best"));
    await cluster.clock.advance(1_000);
    await create(cluster, resources.pods, podOf("a", ""));
    assert.deepEqual([await usedOf(cluster, "best"), await usedOf(cluster, "not-best")], [{ pods: "1" }, { pods: "0" }]);
    await create(cluster, resources.pods, podOf("b", "100m"));
    assert.deepEqual([await usedOf(cluster, "best"), await usedOf(cluster, "not-best")], [{ pods: "1" }, { pods: "1" }]);
  });

  it("terminating scopes", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await create(cluster, resources.resourcequotas, quota({ pods: "5" }, { scopes: ["Terminating"] }, "ends"));
    await create(cluster, resources.resourcequotas, quota({ pods: "5" }, { scopes: ["NotTerminating"] }, "lasts"));
    await cluster.clock.advance(1_000);
    await create(cluster, resources.pods, podOf("a", "100m", { activeDeadlineSeconds: 3_600 }));
    assert.deepEqual([await usedOf(cluster, "ends"), await usedOf(cluster, "lasts")], [{ pods: "1" }, { pods: "0" }]);
  });

  it("manage the lifecycle, update and delete", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await lifecycle(cluster, resources.resourcequotas, (name) => quota({ pods: "1" }, {}, name));
    await create(cluster, resources.resourcequotas, quota({ pods: "1" }));
    await cluster.clock.advance(1_000);
    await cluster.client.patch(resources.resourcequotas, "q", { spec: { hard: { pods: "2", cpu: "1" } } }, { ...inDefault, type: MERGE });
    assert.deepEqual(await usedOf(cluster), { pods: "0", cpu: "0" });
  });

  it("apply changes to status", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await create(cluster, resources.resourcequotas, quota({ configmaps: "7" }));
    await cluster.clock.advance(1_000);
    const patch = { status: { hard: { configmaps: "7" }, used: { configmaps: "3" } } };
    const patched = await cluster.client.patch(resources.resourcequotas, "q", patch, { ...inDefault, subresource: "status", type: MERGE });
    assert.equal(patched.status?.used?.["configmaps"], "3");
  });
});

describe("storage", () => {
  const claim = (name: string) => ({
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "" },
  });
  const volume = (name: string) => ({
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/v" } },
  });

  it("PersistentVolumes: lifecycle of a PV and a PVC", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await lifecycle(cluster, resources.persistentvolumes, volume);
    await lifecycle(cluster, resources.persistentvolumeclaims, claim);
  });

  it("PersistentVolumes: apply changes to a pv/pvc status", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await create(cluster, resources.persistentvolumes, volume("v"));
    await create(cluster, resources.persistentvolumeclaims, claim("c"));
    await cluster.clock.advance(1_000);
    const message = { status: { message: "StatusUpdate", reason: "E2E" } };
    const patched = await cluster.client.patch(resources.persistentvolumes, "v", message, { subresource: "status", type: MERGE });
    assert.deepEqual([patched.status?.message, patched.status?.reason], ["StatusUpdate", "E2E"]);
    const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set by the test" };
    const conditions = { status: { conditions: [condition] } };
    const claimed = await cluster.client.patch(resources.persistentvolumeclaims, "c", conditions, {
      ...inDefault,
      subresource: "status",
      type: MERGE,
    });
    assert.equal(claimed.status?.conditions?.[0]?.reason, "E2E");
  });

  it("StorageClasses: lifecycle", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await lifecycle(cluster, resources.storageclasses, (name) => ({ metadata: { name }, provisioner: "e2e.example.com/fake" }));
  });

  it("VolumeAttachment: lifecycle, apply changes to status", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const attachment = (name: string) => ({
      metadata: { name },
      spec: { attacher: "e2e-test.storage.k8s.io", nodeName: "elsewhere", source: { persistentVolumeName: `pv-${name}` } },
    });
    await lifecycle(cluster, resources.volumeattachments, attachment);
    await create(cluster, resources.volumeattachments, attachment("s"));
    const patched = await cluster.client.patch(
      resources.volumeattachments,
      "s",
      { status: { attached: true } },
      { subresource: "status", type: MERGE },
    );
    assert.equal(patched.status?.attached, true);
  });

  it("VolumeAttributesClass: lifecycle", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await lifecycle(cluster, resources.volumeattributesclasses, (name) => ({
      metadata: { name },
      driverName: "e2e",
      parameters: { a: "b" },
    }));
  });
});

describe("ServiceCIDR and IPAddress API", () => {
  it("IPAddress API operations", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const addresses: Readonly<Record<string, string>> = { a: "192.0.2.1", b: "192.0.2.2" };
    await lifecycle(cluster, resources.ipaddresses, (name) => ({
      metadata: { name: addresses[name] },
      spec: { parentRef: { group: "", resource: "services", name, namespace: "default" } },
    }));
  });

  it("ServiceCIDR API operations", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await lifecycle(cluster, resources.servicecidrs, (name) => ({ metadata: { name }, spec: { cidrs: ["192.0.2.0/24"] } }));
    const { status } = await cluster.client.get(resources.servicecidrs, "kubernetes");
    assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  });
});

describe("a further range of service addresses", () => {
  it("stays as long as a service has an address of it", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const { client, clock } = cluster;
    await create(cluster, resources.servicecidrs, { metadata: { name: "more" }, spec: { cidrs: ["10.200.0.0/24"] } });
    await clock.advance(1000);
    await create(cluster, resources.services, { metadata: { name: "s" }, spec: { clusterIP: "10.200.0.7", ports: [{ port: 80 }] } });
    await clock.advance(1000);
    assert.equal((await client.get(resources.ipaddresses, "10.200.0.7")).spec?.parentRef?.name, "s");
    await client.delete(resources.servicecidrs, "more");
    await clock.advance(1000);
    const { status } = await client.get(resources.servicecidrs, "more");
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    assert.deepEqual([ready?.status, ready?.reason], ["False", "Terminating"]);
    await client.delete(resources.services, "s", inDefault);
    await clock.advance(1000);
    await assert.rejects(client.get(resources.servicecidrs, "more"), isNotFound);
  });
});

describe("ClusterTrustBundle", () => {
  it("CRUD operations for clustertrustbundles", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const { pem: trustBundle } = await TestAuthority.make();
    await lifecycle(cluster, resources.clustertrustbundlesV1, (name) => ({
      metadata: { name: `example.com:signer:${name}` },
      spec: { signerName: "example.com/signer", trustBundle },
    }));
    await create(cluster, resources.clustertrustbundlesV1, { metadata: { name: "plain" }, spec: { trustBundle } });
    const own = { fieldSelector: "spec.signerName=example.com/signer" };
    assert.deepEqual((await cluster.client.list(resources.clustertrustbundlesV1, own)).items, []);
    const none = await cluster.client.list(resources.clustertrustbundles, { fieldSelector: "spec.signerName=" });
    assert.deepEqual(
      none.items.map(({ metadata }) => metadata.name),
      ["plain"],
    );
  });
});

describe("PodCertificateRequest", () => {
  it("PodCertificateRequest API operations", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const { privateKey } = generateKeyPairSync("ed25519");
    const uids = { podUID: "p", serviceAccountUID: "a", nodeUID: "n" };
    const request = (name: string) => ({
      metadata: { name },
      spec: {
        ...uids,
        signerName: "example.com/signer",
        podName: "pod",
        serviceAccountName: "default",
        nodeName: "node",
        stubPKCS10Request: writePkcs10(privateKey).toString("base64"),
      },
    });
    await lifecycle(cluster, resources.podcertificaterequestsV1, request);
    await create(cluster, resources.podcertificaterequestsV1, request("c"));
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    const conditions = [{ type: "Failed", status: "True", reason: "Broken", message: "no", lastTransitionTime }];
    const status = { ...inDefault, subresource: "status", type: MERGE } as const;
    await cluster.client.patch(resources.podcertificaterequestsV1, "c", { status: { conditions } }, status);
    const failed = await cluster.client.get(resources.podcertificaterequestsV1, "c", { ...inDefault, subresource: "status" });
    assert.deepEqual(failed.status?.conditions, conditions);
    await cluster.clock.advance(14 * 60_000);
    await cluster.client.get(resources.podcertificaterequestsV1, "c", inDefault);
    await cluster.clock.advance(2 * 60_000);
    await assert.rejects(cluster.client.get(resources.podcertificaterequestsV1, "c", inDefault), isNotFound);
  });
});

describe("StorageVersionMigration", () => {
  it("CRUD operations for storageversionmigrations", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const migration = (name: string) => ({ metadata: { name }, spec: { resource: { group: "", resource: "configmaps" } } });
    await lifecycle(cluster, resources.storageversionmigrationsV1, migration);
  });
});

describe("EndpointSliceMirroring", () => {
  it("mirror a custom Endpoints resource through create update and delete", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const ports = [{ name: "example", port: 80 }];
    await create(cluster, resources.services, { metadata: { name: "custom" }, spec: { ports: [{ name: "example", port: 80 }] } });
    const endpoints = await create(cluster, resources.endpoints, {
      metadata: { name: "custom" },
      subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports }],
    });
    const mirrored = async () => {
      await cluster.clock.advance(1_000);
      const { items } = await cluster.client.list(resources.endpointslices, {
        ...inDefault,
        labelSelector: "kubernetes.io/service-name=custom",
      });
      return items.map((slice) => [
        slice.metadata.labels?.["endpointslice.kubernetes.io/managed-by"],
        slice.endpoints?.map(({ addresses }) => addresses[0]),
      ]);
    };
    assert.deepEqual(await mirrored(), [["endpointslicemirroring-controller.k8s.io", ["192.0.2.1"]]]);
    await cluster.client.update(
      resources.endpoints,
      { ...endpoints, subsets: [{ addresses: [{ ip: "192.0.2.2" }], ports }] } as never,
      inDefault,
    );
    assert.deepEqual(await mirrored(), [["endpointslicemirroring-controller.k8s.io", ["192.0.2.2"]]]);
    await cluster.client.delete(resources.endpoints, "custom", inDefault);
    assert.deepEqual(await mirrored(), []);
  });
});

describe("Lease", () => {
  it("API available", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    await lifecycle(cluster, resources.leases, (name) => ({
      metadata: { name },
      spec: { holderIdentity: "holder", leaseDurationSeconds: 30 },
    }));
  });
});

describe("DRA CRUD", () => {
  const requests = [{ name: "gpu", exactly: { deviceClassName: "gpu" } }];
  const pool = { name: "p", generation: 1, resourceSliceCount: 1 };
  const kinds: readonly (readonly [ResourceRef<KubeObject>, (name: string) => object])[] = [
    [resources.deviceclasses, (name) => ({ metadata: { name }, spec: { selectors: [{ cel: { expression: "true" } }] } })],
    [resources.devicetaintrules, (name) => ({ metadata: { name }, spec: { taint: { key: "sick", effect: "NoSchedule" } } })],
    [resources.resourceclaims, (name) => ({ metadata: { name }, spec: { devices: { requests } } })],
    [resources.resourceclaimtemplates, (name) => ({ metadata: { name }, spec: { spec: { devices: { requests } } } })],
    [resources.resourceslices, (name) => ({ metadata: { name }, spec: { driver: "d.example.com", allNodes: true, pool } })],
  ];
  for (const [resource, make] of kinds) {
    it(resource.kind, async () => {
      await using cluster = await createCluster({ nodes: 0 });
      await lifecycle(cluster, resource, make);
    });
  }

  it("DeviceTaintRule: status is a subresource, and a changed effect counts from now on", async () => {
    await using cluster = await createCluster({ nodes: 0 });
    const { client, clock } = cluster;
    const rule = await create(cluster, resources.devicetaintrules, {
      metadata: { name: "r" },
      spec: { taint: { key: "a", effect: "None" } },
    });
    await clock.advance(20_000);
    const status = { conditions: [{ type: "Mine", status: "True", reason: "R", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }] };
    const patched = await client.patch(resources.devicetaintrules, "r", { status }, { subresource: "status", type: MERGE });
    assert.equal(patched.metadata.generation, 1);
    const effect = { spec: { taint: { effect: "NoSchedule" } }, status: { conditions: [] } };
    const changed = await client.patch(resources.devicetaintrules, "r", effect, { type: MERGE });
    assert.deepEqual([changed.metadata.generation, changed.status?.conditions?.length], [2, 1]);
    assert.ok((changed.spec.taint.timeAdded ?? "") > (rule.spec.taint.timeAdded ?? ""));
    const wrong = { spec: { taint: { key: "!", effect: "PreferNoSchedule" } } };
    await assert.rejects(client.patch(resources.devicetaintrules, "r", wrong, { type: MERGE }), {
      message: /spec\.taint\.key: Invalid value: "!".*spec\.taint\.effect: Unsupported value: "PreferNoSchedule"/s,
    });
  });
});
