import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { Service, ServiceSpec } from "../../../src/api/types/core/v1.ts";
import { type LoadBalancerOptions, serviceLbController } from "../../../src/controllers/index.ts";
import type { DeepReadonly } from "../../../src/machinery/index.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const FINALIZER = "service.kubernetes.io/load-balancer-cleanup";

async function start(options: LoadBalancerOptions): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start((context) => serviceLbController(context, options));
  const { metadata, status } = await cluster.createNode("n1");
  const addresses = [{ type: "InternalIP", address: "192.0.2.1" }];
  await cluster.client.update(resources.nodes, { metadata, status: { ...status, addresses } }, { subresource: "status" });
  return cluster;
}

const balancer = (name: string, spec: ServiceSpec = {}) => ({
  metadata: { name },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...spec },
});
const get = (cluster: ControllerCluster, name: string) => cluster.client.get(resources.services, name, { namespace: "default" });
const ips = (service: DeepReadonly<Service>) => (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);

describe("service load balancer controller", () => {
  it("gives addresses, holds the service by its finalizer until it has cleaned up, and rests in between", async () => {
    await using cluster = await start({});
    await cluster.create(resources.services, balancer("web"));
    await cluster.clock.advance(100);
    const service = await get(cluster, "web");
    assert.deepEqual([ips(service), service.metadata.finalizers], [["192.0.2.1"], [FINALIZER]]);
    assert.deepEqual(await cluster.events("EnsuredLoadBalancer"), ["Ensured load balancer"]);
    const before = await cluster.revision();
    await cluster.clock.advance(60_000);
    assert.equal(await cluster.revision(), before);
    await cluster.client.delete(resources.services, "web", { namespace: "default" });
    await cluster.clock.advance(100);
    assert.equal((await cluster.names(resources.services, "default")).includes("web"), false);
    assert.deepEqual(await cluster.events("DeletedLoadBalancer"), ["Deleted load balancer"]);
  });

  it("takes addresses and finalizer away when the type changes", async () => {
    await using cluster = await start({});
    await cluster.create(resources.services, balancer("web"));
    await cluster.clock.advance(100);
    const patch = { spec: { type: "ClusterIP" } };
    await cluster.client.patch(resources.services, "web", patch, { namespace: "default", type: "application/merge-patch+json" });
    await cluster.clock.advance(100);
    const service = await get(cluster, "web");
    assert.deepEqual([ips(service), service.metadata.finalizers ?? []], [[], []]);
  });

  it("gives a port to the next when the first service lets it go", async () => {
    await using cluster = await start({});
    await cluster.create(resources.services, balancer("first"));
    await cluster.clock.advance(2_000);
    await cluster.create(resources.services, balancer("second"));
    await cluster.clock.advance(100);
    assert.deepEqual(ips(await get(cluster, "second")), []);
    assert.match((await cluster.events("SyncLoadBalancerFailed"))[0] ?? "", /in use by service default\/first/);
    await cluster.client.delete(resources.services, "first", { namespace: "default" });
    await cluster.clock.advance(100);
    assert.deepEqual(ips(await get(cluster, "second")), ["192.0.2.1"]);
  });

  it("gives many services made at once different addresses of the pool", async () => {
    await using cluster = await start({ pool: ["198.51.100.0/24"] });
    await Promise.all(Array.from({ length: 20 }, (_, index) => cluster.create(resources.services, balancer(`web-${index}`))));
    await cluster.clock.advance(1000);
    const { items } = await cluster.client.list(resources.services, { namespace: "default" });
    assert.equal(new Set(items.flatMap(ips)).size, 20);
  });

  it("leaves what others write into the status as it is", async () => {
    await using cluster = await start({});
    await cluster.create(resources.services, balancer("web"));
    await cluster.clock.advance(100);
    const service = await get(cluster, "web");
    const status = { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } };
    await cluster.client.update(resources.services, { ...service, status }, { namespace: "default", subresource: "status" });
    await cluster.clock.advance(1000);
    assert.deepEqual(ips(await get(cluster, "web")), ["203.0.113.1"]);
  });
});
