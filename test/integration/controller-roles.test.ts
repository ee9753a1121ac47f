// The controllers as their own service accounts, under the real authorisation: what their roles let them do is enough.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { builtInCatalog, type ResourceRef, resources } from "../../src/api/index.ts";
import { formatTime, type Logger, SeededRandom, silentLogger } from "../../src/base/index.ts";
import type { Client } from "../../src/client/index.ts";
import { ControlPlane } from "../../src/cmd/control-plane/control-plane.ts";
import { issueAuthority } from "../../src/cmd/pki/issue.ts";
import { requestAuthority } from "../../src/cmd/pki/request-authority.ts";
import { LOCAL_PATH_PROVISIONER, LOCAL_PATH_ROOT } from "../../src/controllers/index.ts";
import { isForbidden, type KubeObject } from "../../src/machinery/index.ts";
import { startApiServer, type TestServer } from "./api-server.fixture.ts";
import { pkcs10 } from "./pkcs10.fixture.ts";

const inDefault = { namespace: "default" };
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Remembers what was refused. */
function watchfulLogger(refused: string[]): Logger {
  const look = (message: string, fields?: Readonly<Record<string, unknown>>) => {
    const error = fields?.["error"];
    if (isForbidden(error)) refused.push(`${String(fields?.["controller"] ?? message)}: ${(error as Error).message}`);
  };
  return { ...silentLogger, debug: look, info: look, warn: look, error: look, child: () => watchfulLogger(refused) };
}

async function start(server: TestServer, logger: Logger, signal: AbortSignal): Promise<Client> {
  const { clock, core, secretTokens } = server;
  const ca = await issueAuthority("test-ca", clock);
  const authority = requestAuthority(ca, clock);
  const plane = new ControlPlane({
    handler: core,
    catalog: builtInCatalog(),
    clock,
    random: new SeededRandom(2),
    logger,
    caPem: ca.certificate,
    podNetwork: "10.244.0.0/16",
    credentials: {
      authority,
      issueSecretToken: (account, secret) => secretTokens.issue(account, secret),
    },
  });
  void plane.run(signal);
  return plane.adminClient;
}

/** Something for every controller. */
async function makeWork(client: Client, now: string): Promise<void> {
  const create = <T extends KubeObject>(resource: ResourceRef<T>, object: object) =>
    client.create(resource, object as never, resource.namespaced ? inDefault : {});
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const selector = { matchLabels: labels };
  const claimSpec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  const node = await create(resources.nodes, { metadata: { name: "n", annotations: { [LOCAL_PATH_ROOT]: "/n" } } });
  const conditions = [{ type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now }];
  const capacity = { cpu: "64", memory: "64Gi", pods: "110" };
  await client.update(resources.nodes, { ...node, status: { conditions, capacity, allocatable: capacity } } as never, {
    subresource: "status",
  });
  await create(resources.resourcequotas, { metadata: { name: "q" }, spec: { hard: { pods: "100", configmaps: "10" } } });
  await create(resources.deployments, { metadata: { name: "web" }, spec: { replicas: 2, selector, template } });
  await create(resources.statefulsets, {
    metadata: { name: "db" },
    spec: { selector: { matchLabels: { app: "db" } }, serviceName: "db", template: { ...template, metadata: { labels: { app: "db" } } } },
  });
  await create(resources.daemonsets, {
    metadata: { name: "each" },
    spec: { selector: { matchLabels: { app: "each" } }, template: { ...template, metadata: { labels: { app: "each" } } } },
  });
  const jobTemplate = { spec: { ...template.spec, restartPolicy: "Never" } };
  await create(resources.jobs, { metadata: { name: "once" }, spec: { template: jobTemplate } });
  await create(resources.cronjobs, {
    metadata: { name: "often" },
    spec: { schedule: "* * * * *", jobTemplate: { spec: { template: jobTemplate } } },
  });
  await create(resources.services, { metadata: { name: "web" }, spec: { selector: labels, ports: [{ port: 80 }] } });
  await create(resources.services, { metadata: { name: "outside" }, spec: { ports: [{ port: 80 }] } });
  await create(resources.endpoints, {
    metadata: { name: "outside" },
    subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }],
  });
  await create(resources.poddisruptionbudgets, { metadata: { name: "web" }, spec: { selector, minAvailable: 1 } });
  await create(resources.storageclasses, {
    metadata: { name: "local-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: LOCAL_PATH_PROVISIONER,
    volumeBindingMode: "WaitForFirstConsumer",
  });
  await create(resources.persistentvolumeclaims, { metadata: { name: "data" }, spec: claimSpec });
  await create(resources.persistentvolumes, {
    metadata: { name: "disk" },
    spec: { ...claimSpec, resources: undefined, capacity: { storage: "1Gi" }, csi: { driver: "d.example.com", volumeHandle: "h" } },
  });
  await create(resources.persistentvolumeclaims, { metadata: { name: "disk" }, spec: { ...claimSpec, storageClassName: "" } });
  await create(resources.resourceclaimtemplates, { metadata: { name: "gpu" }, spec: { spec: {} } });
  const volumes = [
    { name: "data", persistentVolumeClaim: { claimName: "data" } },
    { name: "disk", persistentVolumeClaim: { claimName: "disk" } },
    { name: "scratch", ephemeral: { volumeClaimTemplate: { spec: claimSpec } } },
  ];
  await create(resources.pods, { metadata: { name: "volumes" }, spec: { ...template.spec, volumes } });
  await create(resources.pods, {
    metadata: { name: "claims" },
    spec: { ...template.spec, resourceClaims: [{ name: "gpu", resourceClaimTemplateName: "gpu" }] },
  });
  await create(resources.volumeattributesclasses, { metadata: { name: "gold" }, driverName: "d.example.com", parameters: { a: "b" } });
  await create(resources.servicecidrs, { metadata: { name: "extra" }, spec: { cidrs: ["192.168.0.0/24"] } });
  const token = { "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true" };
  const data = Object.fromEntries(
    Object.entries({ ...token, expiration: formatTime(Date.parse(now) + 60_000) }).map(([key, text]) => [key, base64(text)]),
  );
  const kubeSystem = { namespace: "kube-system" };
  await client.create(
    resources.secrets,
    { metadata: { name: "bootstrap-token-abcdef", ...kubeSystem }, type: "bootstrap.kubernetes.io/token", data },
    kubeSystem,
  );
  const info = { metadata: { name: "cluster-info", namespace: "kube-public" }, data: { kubeconfig: "x" } };
  await client.create(resources.configmaps, info, { namespace: "kube-public" });
  await create(resources.storageversionmigrations, {
    metadata: { name: "deployments" },
    spec: { resource: { group: "apps", resource: "deployments" } },
  });
  const annotations = { "kubernetes.io/service-account.name": "default" };
  await create(resources.secrets, { metadata: { name: "token", annotations }, type: "kubernetes.io/service-account-token" });
}

describe("the controllers' roles", () => {
  it("let every controller do its work", async () => {
    await using server = await startApiServer();
    const stop = new AbortController();
    const refused: string[] = [];
    const client = await start(server, watchfulLogger(refused), stop.signal);
    await server.clock.advance(1_000);
    await makeWork(client, formatTime(server.clock.now()));
    await server.clock.advance(130_000);
    const phaseOf = async (name: string) => (await client.get(resources.persistentvolumeclaims, name, inDefault)).status?.phase;
    assert.deepEqual([await phaseOf("data"), await phaseOf("disk"), await phaseOf("volumes-scratch")], ["Bound", "Bound", "Bound"]);
    assert.equal((await client.list(resources.volumeattachments)).items.length, 1);
    assert.equal((await client.list(resources.resourceclaims, inDefault)).items.length, 1);
    assert.equal((await client.list(resources.jobs, inDefault)).items.length >= 2, true);
    const { status } = await client.get(resources.resourcequotas, "q", inDefault);
    assert.equal(status?.used?.["configmaps"], "1");
    assert.equal((await client.list(resources.clustertrustbundles)).items.length, 1);
    const migration = await client.get(resources.storageversionmigrations, "deployments");
    assert.equal(migration.status?.conditions?.[0]?.type, "Succeeded");
    await client.delete(resources.servicecidrs, "extra");
    await client.delete(resources.persistentvolumeclaims, "data", inDefault);
    await client.delete(resources.pods, "volumes", { ...inDefault, options: { gracePeriodSeconds: 0 } });
    await client.delete(resources.deployments, "web", { ...inDefault, options: { propagationPolicy: "Foreground" } });
    await client.create(resources.namespaces, { metadata: { name: "short" } });
    await client.delete(resources.namespaces, "short");
    await server.clock.advance(60_000);
    assert.equal((await client.list(resources.volumeattachments)).items.length, 0);
    assert.deepEqual([...new Set(refused)], []);
    stop.abort();
  });

  it("give secrets tokens that the server takes", async () => {
    await using server = await startApiServer();
    const stop = new AbortController();
    const client = await start(server, silentLogger, stop.signal);
    await server.clock.advance(1_000);
    const annotations = { "kubernetes.io/service-account.name": "default" };
    await client.create(resources.secrets, {
      metadata: { name: "token", ...inDefault, annotations },
      type: "kubernetes.io/service-account-token",
    });
    let token = "";
    for (let turn = 0; token === "" && turn < 2_000; turn++) {
      await server.clock.advance(10);
      await new Promise((resolve) => setTimeout(resolve, 5));
      token = (await client.get(resources.secrets, "token", inDefault)).data?.["token"] ?? "";
    }
    const authorization = `Bearer ${Buffer.from(token, "base64").toString()}`;
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const { json } = await server.call("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      method: "POST",
      headers: { authorization },
      body: review,
      as: undefined,
    });
    assert.equal(json.status?.userInfo?.username, "system:serviceaccount:default:default");
    stop.abort();
  });

  it("let certificates be signed that a person has approved", async () => {
    await using server = await startApiServer();
    const stop = new AbortController();
    const client = await start(server, silentLogger, stop.signal);
    await server.clock.advance(1_000);
    const usages = ["digital signature", "client auth"];
    const spec = { request: await pkcs10("CN=jane"), signerName: "kubernetes.io/kube-apiserver-client", usages };
    const request = await client.create(resources.certificatesigningrequests, { metadata: { name: "jane" }, spec });
    const conditions = [{ type: "Approved", status: "True", reason: "ByHand", message: "" }];
    await client.update(resources.certificatesigningrequests, { ...request, status: { conditions } }, { subresource: "approval" });
    let certificate: string | undefined;
    for (let turn = 0; certificate === undefined && turn < 2_000; turn++) {
      await server.clock.advance(10);
      await new Promise((resolve) => setTimeout(resolve, 5));
      certificate = (await client.get(resources.certificatesigningrequests, "jane")).status?.certificate;
    }
    assert.match(Buffer.from(certificate ?? "", "base64").toString(), /BEGIN CERTIFICATE/);
    stop.abort();
  });
});
