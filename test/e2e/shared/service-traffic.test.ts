// Which endpoint a client of a service is led to: always the same for a time, or one that is near.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually } from "../cluster.fixture.ts";

const AFFINITY_SECONDS = 3;
const ZONE = "topology.kubernetes.io/zone";
/** By the nodes that they are on. */
const PODS = ["near-1", "near-2"];

describe("traffic of services", () => {
  let cluster: Cluster;

  const node = (pod: string) => `node-${pod.at(-1)}`;
  const pod = (name: string, labels: Readonly<Record<string, string>>) => {
    const container = { name: "c", image: "kubia", readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 } };
    const spec = { nodeName: node(name), terminationGracePeriodSeconds: 0, containers: [container] };
    return cluster.apply({ apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec });
  };
  before(async () => {
    cluster = await Cluster.shared("traffic");
    for (const name of PODS) await pod(name, { app: "web" });
    await pod("client-2", {});
    await cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const service = (name: string, spec: object) => {
    const ports = [{ port: 80, targetPort: 8080 }];
    return cluster.apply({ apiVersion: "v1", kind: "Service", metadata: { name }, spec: { selector: { app: "web" }, ports, ...spec } });
  };
  /** The pods that answer so many requests from node-2, in one go; rejects when one is not answered. */
  const answers = async (host: string, count: number) => {
    const script = `for i in $(seq ${count}); do timeout 5 wget -qO- http://${host} || exit 1; done`;
    const said = await cluster.kubectl("exec", "client-2", "--", "sh", "-c", script);
    return new Set(
      said
        .trim()
        .split("\n")
        .map((line) => line.replace("You've hit ", "")),
    );
  };
  const areLedTo = (what: string, host: string, ...pods: readonly string[]) =>
    eventually(what, async () => [...(await answers(host, 12))].sort().join() === pods.join());

  it("Services should have session affinity timeout work, for cluster IPs and node ports", async () => {
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: AFFINITY_SECONDS } };
    await service("sticky", { type: "NodePort", sessionAffinity: "ClientIP", sessionAffinityConfig });
    const { spec } = await cluster.get<Service>("service", "sticky");
    const hosts = ["sticky", `10.199.0.1:${spec?.ports?.[0]?.nodePort}`];
    await Promise.all(
      hosts.map(async (host) => {
        const first = await eventually(`${host} keeps to one pod`, async () => {
          const pods = await answers(host, 12);
          return pods.size === 1 && [...pods][0];
        });
        await eventually(`${host} forgets it`, async () => {
          await sleep(AFFINITY_SECONDS * 1_000 + 300);
          return !(await answers(host, 1)).has(first);
        });
      }),
    );
  });

  it("Traffic Distribution should route traffic to an endpoint on the same node when using PreferSameNode, and fall back", async () => {
    await service("same-node", { trafficDistribution: "PreferSameNode" });
    await areLedTo("the pod of the node answers", "same-node", "near-2");
    await cluster.kubectl("label", "pod", "near-2", "app=other", "--overwrite");
    await areLedTo("another answers when there is none", "same-node", "near-1");
    await cluster.kubectl("label", "pod", "near-2", "app=web", "--overwrite");
    await areLedTo("it answers again", "same-node", "near-2");
  });

  it("Traffic Distribution should route traffic to an endpoint in the same zone when using PreferSameZone or PreferClose", async () => {
    const names = ["PreferSameZone", "PreferClose"].map(
      (trafficDistribution) => [trafficDistribution.toLowerCase(), trafficDistribution] as const,
    );
    for (const [name, trafficDistribution] of names) await service(name, { trafficDistribution });
    await areLedTo("nodes without zones are all alike", "preferclose", ...PODS);
    try {
      for (const [index, name] of PODS.entries()) await cluster.kubectl("label", "node", node(name), `${ZONE}=zone-${index}`);
      for (const [name] of names) await areLedTo(`${name} leads to the pod of the zone`, name, "near-2");
      await cluster.kubectl("label", "node", "node-1", `${ZONE}=zone-1`, "--overwrite");
      for (const [name] of names) await areLedTo(`${name} leads to all of the zone`, name, ...PODS);
    } finally {
      for (const name of PODS) await cluster.kubectl("label", "node", node(name), `${ZONE}-`);
    }
  });

  it("is all the same without a preference", async () => {
    await service("any", {});
    await areLedTo("both pods answer", "any", ...PODS);
    assert.equal((await cluster.get<Service>("service", "any")).spec?.trafficDistribution, undefined);
  });
});
