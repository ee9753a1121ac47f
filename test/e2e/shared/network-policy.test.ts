// NetworkPolicies between real containers on two nodes.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Pod } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually, run } from "../cluster.fixture.ts";

describe("network policies", () => {
  let cluster: Cluster;
  const ips: Record<string, string> = {};

  before(async () => {
    cluster = await Cluster.shared("policies");
    for (const namespace of ["red", "blue"]) {
      await cluster.kubectl("create", "namespace", namespace);
      await cluster.kubectl("label", "namespace", namespace, `team=${namespace}`);
    }
    const pod = (namespace: string, name: string, nodeName: string) =>
      cluster.apply({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { namespace, name, labels: { app: name } },
        spec: {
          nodeName,
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name: "c",
              image: "kubia",
              ports: [{ name: "http", containerPort: 8080 }],
              readinessProbe: { httpGet: { port: 8080, path: "/" }, periodSeconds: 1 },
            },
          ],
        },
      });
    await pod("red", "server", "node-1");
    await pod("red", "near", "node-1");
    await pod("red", "far", "node-2");
    await pod("blue", "stranger", "node-2");
    await cluster.kubectl("expose", "pod", "server", "-n", "red", "--port=80", "--target-port=8080");
    for (const namespace of ["red", "blue"])
      await cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod", "--all", "--timeout=60s");
    for (const namespace of ["red", "blue"]) {
      const { items } = await cluster.get<{ items: Pod[] }>("pods", "-n", namespace);
      for (const { metadata, status } of items) ips[metadata.name ?? ""] = status?.podIP ?? "";
    }
  });
  after(() => cluster[Symbol.asyncDispose]());

  const namespaceOf = (pod: string) => (pod === "stranger" ? "blue" : "red");
  /** Whether a pod's request is answered within a second. */
  const reaches = async (from: string, url: string) => {
    const script = ["exec", "-n", namespaceOf(from), from, "--", "timeout", "1", "wget", "-qO-", url];
    return (await cluster.tryKubectl(script)).code === 0;
  };
  const server = () => `http://${ips["server"]}:8080`;
  const policy = (name: string, spec: object) =>
    cluster.apply({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { namespace: "red", name }, spec });
  const remove = (...names: string[]) => cluster.kubectl("delete", "networkpolicy", "-n", "red", ...names);
  const soon = (what: string, ask: () => Promise<boolean>) => eventually(what, ask, 20_000);
  /** The server's pod or another: that an answer is late on a busy machine is no matter. */
  const isReached = (from: string, url: string, how = "") => soon(`${from} reaches ${url} ${how}`, () => reaches(from, url));

  it("deny what no policy allows, but for the node's own probes", async () => {
    await isReached("near", server());
    await policy("deny", { podSelector: {}, policyTypes: ["Ingress"] });
    await soon("near is shut out", async () => !(await reaches("near", server())));
    for (const client of ["far", "stranger"]) assert.equal(await reaches(client, server()), false, client);
    assert.equal(await reaches("near", "http://server.red"), false);
    await soon("the node itself is let in", async () => (await run("curl", ["-sS", "--max-time", "2", server()])).code === 0);
    await isReached("server", "http://server.red", "which is itself");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await soon("the server's readiness is still seen", async () => {
      const { status } = await cluster.get<Pod>("pod", "-n", "red", "server");
      return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    });
  });

  it("allow by pods, namespaces and named ports, on the same node and across nodes", async () => {
    await policy("allow", {
      podSelector: { matchLabels: { app: "server" } },
      ingress: [
        { from: [{ podSelector: { matchLabels: { app: "far" } } }], ports: [{ port: "http" }] },
        { from: [{ namespaceSelector: { matchLabels: { team: "blue" } } }], ports: [{ port: 8000, endPort: 8100 }] },
      ],
    });
    await soon("far is let in", () => reaches("far", server()));
    await isReached("stranger", server());
    await isReached("stranger", "http://server.red", "by the service");
    assert.equal(await reaches("near", server()), false);
    await cluster.kubectl("label", "pod", "-n", "red", "far", "app=other", "--overwrite");
    await soon("another label shuts far out", async () => !(await reaches("far", server())));
    await cluster.kubectl("label", "pod", "-n", "red", "far", "app=far", "--overwrite");
    await cluster.kubectl("label", "namespace", "blue", "team=green", "--overwrite");
    await soon("another label of its namespace shuts the stranger out", async () => !(await reaches("stranger", server())));
    await remove("deny", "allow");
    await soon("all is open again", () => reaches("near", server()));
  });

  it("hold back what pods send, except to blocks of addresses", async () => {
    await policy("egress", {
      podSelector: { matchLabels: { app: "far" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.244.0.0/16", except: [`${ips["near"]}/32`] } }], ports: [{ port: 8080 }] }],
    });
    await soon("near is out of reach", async () => !(await reaches("far", `http://${ips["near"]}:8080`)));
    await isReached("far", server());
    await isReached("far", "http://server.red", "which is judged by where it leads");
    await isReached("near", `http://${ips["far"]}:8080`, "whose answers belong to what was allowed");
    await remove("egress");
  });

  it("leave no rules behind when there are none", async () => {
    await soon("the table is gone", async () => !(await run("nft", ["list", "tables"])).stdout.includes("k8ts_policy"));
  });
});
