// The metrics API's question to a kubelet, over TLS: many hollow nodes behind one port.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ApiHandler, builtInCatalog } from "../../src/api/index.ts";
import { createTestCa, type KeyPair, storedObject, type TestCa } from "../../src/apiserver/front/fake-server.ts";
import { KubeletUsageSource } from "../../src/apiserver/index.ts";
import { notFound } from "../../src/machinery/index.ts";
import { HollowServer } from "../../src/node/index.ts";

const NODES = new Set(["hollow-1", "hollow-2"]);

describe("the usage of a node", () => {
  let ca: TestCa;
  let client: KeyPair;
  let server: HollowServer;
  let port = 0;

  before(async () => {
    ca = await createTestCa();
    client = await ca.issue("CN=kube-apiserver");
    server = new HollowServer({
      tls: { ...(await ca.issue("CN=hollow")), clientCa: ca.cert },
      usageOf: (nodeName) => {
        const cpuUsageCoreNanoSeconds = Number(nodeName.replace(/\D/g, "")) * 1e9;
        const node = { timestampMs: 5, cpuUsageCoreNanoSeconds, memoryWorkingSetBytes: 7 };
        return NODES.has(nodeName) ? { nodeName, node, containers: [], pods: [] } : undefined;
      },
    });
    port = await server.listen(0, "127.0.0.1");
  });
  after(() => server.close());

  function sourceWith(kubeletTls: { readonly key: string; readonly cert: string; readonly ca: string }): KubeletUsageSource {
    const get: ApiHandler["get"] = async ({ name, resource }) => {
      if (!name.startsWith("hollow-")) throw notFound(resource, name);
      const status = { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: port } } };
      return storedObject({ metadata: { name }, status } as never);
    };
    return new KubeletUsageSource({ handler: { get }, catalog: builtInCatalog(), clock: { now: () => 0 }, kubeletTls });
  }

  it("is told by the node that is asked, though all have one port", async () => {
    const source = sourceWith({ ...client, ca: ca.cert });
    const usages = await Promise.all([...NODES].map((name) => source.read(name)));
    assert.deepEqual(
      usages.map(({ node }) => node?.cpuSeconds),
      [1, 2],
    );
    assert.deepEqual(usages[0]?.node, { timestampMs: 5, cpuSeconds: 1, memoryBytes: 7 });
    await assert.rejects(source.read("hollow-3"), /node hollow-3 answers 404/);
    await assert.rejects(source.read("unknown"), /not found/);
  });

  it("is told to no one without a certificate of the cluster, and believed from no one without", async () => {
    const other = await createTestCa("other-ca");
    const stranger = await other.issue("CN=stranger");
    await assert.rejects(sourceWith({ ...stranger, ca: ca.cert }).read("hollow-1"), /answers 401/);
    await assert.rejects(sourceWith({ ...client, ca: other.cert }).read("hollow-1"), /certificate/);
  });
});
