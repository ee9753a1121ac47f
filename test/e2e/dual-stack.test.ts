// A cluster of two IP families: pods, services and names between real containers on two nodes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Node, Pod, Service } from "../../src/api/types/core/v1.ts";
import { Cluster, eventually, run } from "./cluster.fixture.ts";

describe("a cluster of two families", () => {
  let cluster: Cluster;

  const pod = (name: string, nodeName: string, command: object = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: { nodeName, terminationGracePeriodSeconds: 0, containers: [{ name: "c", image: "kubia", ...command }] },
  });

  before(async () => {
    const networks = ["--pod-network", "10.244.0.0/16,fd00:244::/48", "--service-network", "10.96.0.0/16,fd00:96::/112"];
    cluster = await Cluster.up({ nodes: 2, options: networks });
    const server = 'require("http").createServer((_, response) => response.end("served")).listen(8080, "::")';
    await cluster.apply(pod("web", "node-1", { command: ["node", "-e", server] }));
    await cluster.apply(pod("client", "node-2"));
    await cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
    const spec = { selector: { app: "web" }, ipFamilyPolicy: "PreferDualStack", ports: [{ port: 80, targetPort: 8080 }] };
    await cluster.apply({ apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec });
  });
  after(() => cluster[Symbol.asyncDispose]());

  const fetched = async (host: string) => {
    const script = `fetch("http://${host}").then((r) => r.text()).then(console.log, (error) => { console.log(String(error.cause)); process.exit(1); })`;
    return (await cluster.tryKubectl(["exec", "client", "--", "timeout", "5", "node", "-e", script])).stdout.trim();
  };

  it("gives nodes and pods an address of each", async () => {
    const { spec, status } = await cluster.get<Node>("node", "node-2");
    assert.deepEqual(spec?.podCIDRs, ["10.244.2.0/24", "fd00:244:0:2::/64"]);
    const addresses = status?.addresses?.filter(({ type }) => type === "InternalIP").map(({ address }) => address);
    assert.deepEqual(addresses, ["10.199.0.2", "fd00:199::2"]);
    const ips = (await cluster.get<Pod>("pod", "web")).status?.podIPs?.map(({ ip }) => ip ?? "");
    assert.match(ips?.join() ?? "", /^10\.244\.1\.\d+,fd00:244:0:1::\w+$/);
  });

  it("leads from pod to pod and to services by both", async () => {
    const [v4 = "", v6 = ""] = ((await cluster.get<Pod>("pod", "web")).status?.podIPs ?? []).map(({ ip }) => ip ?? "");
    // The container runs before its program listens.
    await eventually("the pod answers", async () => (await fetched(`${v4}:8080`)) === "served");
    await eventually("so it does by IPv6", async () => (await fetched(`[${v6}]:8080`)) === "served");
    const { clusterIPs = [] } = (await cluster.get<Service>("service", "web")).spec ?? {};
    assert.match(clusterIPs.join(), /^10\.96\.\d+\.\d+,fd00:96::\w+$/);
    await eventually("both addresses are served", async () => {
      const answers = [await fetched(clusterIPs[0] ?? ""), await fetched(`[${clusterIPs[1]}]`)];
      return answers.every((answer) => answer === "served");
    });
    assert.equal((await run("curl", ["-gsS", "--max-time", "5", `http://[${clusterIPs[1]}]`])).stdout, "served", "from the host");
  });

  it("knows both addresses by name", async () => {
    const script = 'require("dns").promises.resolve6("web.default.svc.cluster.local").then((r) => console.log(r.join()))';
    const found = (await cluster.kubectl("exec", "client", "--", "node", "-e", script)).trim();
    assert.equal(found, (await cluster.get<Service>("service", "web")).spec?.clusterIPs?.[1]);
  });
});
