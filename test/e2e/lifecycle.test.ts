// What survives, and what is left: processes killed, nodes lost, a cluster taken down.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, linkSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Node, Pod } from "../../src/api/types/core/v1.ts";
import { Cluster, eventually, run } from "./cluster.fixture.ts";

interface List<T> {
  readonly items: readonly T[];
}

/** What a cluster changes on its machine; of the processes those of tests like this. */
async function hostState(): Promise<Record<string, readonly string[]>> {
  const lines = (text: string) => text.split("\n").filter((line) => line !== "");
  const mounts = lines(readFileSync("/proc/self/mounts", "utf8")).map((line) => line.split(" ")[1] ?? "");
  const hierarchies = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/pids"].filter((path) =>
    existsSync(path),
  );
  const running = lines((await run("ps", ["-eo", "args"])).stdout);
  return {
    mounts: mounts.sort(),
    links: readdirSync("/sys/class/net").sort(),
    namespaces: existsSync("/run/netns") ? readdirSync("/run/netns").sort() : [],
    tables: lines((await run("nft", ["list", "tables"])).stdout).filter((line) => line.includes("k8ts")),
    routes: lines((await run("ip", ["route"])).stdout).filter((line) => line.startsWith("10.244.") || line.includes("k8ts")),
    addresses: lines((await run("ip", ["-o", "address", "show", "dev", "lo"])).stdout).filter((line) => line.includes("10.96.")),
    cgroups: hierarchies.flatMap((path) => readdirSync(path).filter((name) => name.includes("k8ts"))),
    processes: running.filter((line) => line.includes("/k8ts-e2e-")),
  };
}

/** As of a shim that was killed while it was started: a socket on which nobody listens. */
async function leaveDeadSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}-alive`);
  await once(server, "listening");
  linkSync(`${path}-alive`, path);
  server.close();
  await once(server, "close");
}

describe("a cluster of three nodes", () => {
  let cluster: Cluster;
  let before_: Record<string, readonly string[]>;
  before(async () => {
    before_ = await hostState();
    cluster = await Cluster.up({ nodes: 3 });
  });
  after(() => cluster[Symbol.asyncDispose]());

  const pods = async () =>
    (await cluster.get<List<Pod>>("pods", "-l", "app=kubia")).items.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const areReady = (all: readonly Pod[]) =>
    all.every((pod) => pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true);
  const readiness = async (name: string) =>
    (await cluster.get<Node>("node", name)).status?.conditions?.find(({ type }) => type === "Ready")?.status;
  const containers = async () =>
    (await pods())
      .map(
        (pod) =>
          `${pod.metadata.name} ${pod.status?.containerStatuses?.[0]?.containerID} ${pod.status?.containerStatuses?.[0]?.restartCount}`,
      )
      .sort();
  const address = async () => (await cluster.kubectl("get", "service", "kubia", "-o", "jsonpath={.spec.clusterIP}")).trim();

  it("spreads pods, and a pod reaches those of the other nodes by the service's name", async () => {
    const tolerations = ["unreachable", "not-ready"].map((state) => ({
      key: `node.kubernetes.io/${state}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 2,
    }));
    const labels = { app: "kubia" };
    const readinessProbe = { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 };
    const container = { name: "kubia", image: "kubia", ports: [{ containerPort: 8080 }], readinessProbe };
    // The plug-in that limits them makes a link for each pod.
    const annotations = { "kubernetes.io/egress-bandwidth": "1G" };
    const template = {
      metadata: { labels, annotations },
      spec: { tolerations, terminationGracePeriodSeconds: 1, containers: [container] },
    };
    await cluster.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "kubia" },
      spec: { replicas: 6, selector: { matchLabels: labels }, template },
    });
    await cluster.kubectl("expose", "deployment", "kubia", "--port=80", "--target-port=8080", "--type=NodePort");
    const all = await eventually("six pods run", async () => ((await pods()).length === 6 && areReady(await pods()) ? pods() : undefined));
    assert.deepEqual(new Set(all.map((pod) => pod.spec?.nodeName)), new Set(["node-1", "node-2", "node-3"]));
    for (const node of ["node-1", "node-2", "node-3"]) {
      const pod = all.find((each) => each.spec?.nodeName === node);
      const script = "for i in $(seq 12); do wget -qO- http://kubia; done";
      await eventually(`from ${node} several pods answer`, async () => {
        const output = await cluster.kubectl("exec", pod?.metadata.name ?? "", "--", "sh", "-c", script);
        return new Set(output.trim().split("\n")).size > 1;
      });
    }
  });

  it("answers on a node port of every node", async () => {
    const port = (await cluster.kubectl("get", "service", "kubia", "-o", "jsonpath={.spec.ports[0].nodePort}")).trim();
    const answer = async (node: number) => (await fetch(`http://10.199.0.${node}:${port}`, { signal: AbortSignal.timeout(5_000) })).text();
    for (const node of [1, 2, 3]) await eventually(`node-${node} answers`, async () => /^You've hit kubia-/.test(await answer(node)));
  });

  it("keeps secrets encrypted on disk", async () => {
    await cluster.kubectl("create", "secret", "generic", "sealed", "--from-literal=password=not-for-the-disk");
    const data = readFileSync(join(cluster.dataDirectory, "server/store/data.mdb")).toString("latin1");
    assert.match(data, /\/registry\/core\/secrets\/default\/sealed/);
    assert.doesNotMatch(data, new RegExp(`not-for-the-disk|${Buffer.from("not-for-the-disk").toString("base64").slice(0, 16)}`));
  });

  it("keeps every acknowledged write and every container when server and agents are killed", async () => {
    const names = Array.from({ length: 20 }, (_, i) => `kept-${i}`);
    for (const name of names) await cluster.kubectl("create", "configmap", name, `--from-literal=a=${name}`);
    const untouched = await containers();
    process.kill(cluster.pid("server.pid"), "SIGKILL");
    for (const node of [1, 2, 3]) process.kill(cluster.pid(`node-${node}/agent.pid`), "SIGKILL");
    await cluster.k8ts("up");
    for (const name of names) assert.equal((await cluster.kubectl("get", "configmap", name, "-o", "jsonpath={.data.a}")).trim(), name);
    await eventually("all pods are ready again", async () => areReady(await pods()) && (await pods()).length === 6);
    assert.deepEqual(await containers(), untouched);
  });

  it("keeps the containers when a containerd is killed", async () => {
    const untouched = await containers();
    process.kill(cluster.pid("node-1/containerd.pid"), "SIGKILL");
    await cluster.k8ts("up");
    await eventually("node-1 is ready", async () => (await readiness("node-1")) === "True");
    assert.deepEqual(await containers(), untouched);
  });

  it("moves the pods of a node that is lost, while the service keeps answering", async () => {
    const ip = await address();
    await cluster.k8ts("node", "stop", "node-2");
    await eventually("node-2 is not ready", async () => (await readiness("node-2")) !== "True", 90_000);
    await eventually("six pods run on the other nodes", async () => {
      const all = (await pods()).filter((pod) => pod.spec?.nodeName !== "node-2");
      return all.length === 6 && areReady(all);
    });
    for (let i = 0; i < 20; i++)
      assert.match(await (await fetch(`http://${ip}`, { signal: AbortSignal.timeout(10_000) })).text(), /^You've hit/);
    await cluster.k8ts("node", "start", "node-2");
    await eventually("node-2 is ready", async () => (await readiness("node-2")) === "True");
    await eventually("its old pods are gone", async () => (await cluster.get<List<Pod>>("pods", "-l", "app=kubia")).items.length === 6);
  });

  it("comes back from a snapshot, with all that it kept", async () => {
    const file = join(cluster.dataDirectory, "../cluster.snapshot");
    const uid = () => cluster.kubectl("get", "service", "kubia", "-o", "jsonpath={.metadata.uid}");
    const saved = await uid();
    await cluster.k8ts("snapshot", "save", file);
    await cluster.k8ts("down");
    await cluster.k8ts("snapshot", "restore", file);
    await cluster.k8ts("up");
    assert.equal(await uid(), saved);
    await eventually("all nodes are ready", async () => {
      const { items } = await cluster.get<List<Node>>("nodes");
      return items.length === 3 && items.every(({ status }) => status?.conditions?.find(({ type }) => type === "Ready")?.status === "True");
    });
  });

  it("leaves nothing behind when it is taken down", async () => {
    await leaveDeadSocket("/run/containerd/s/dead");
    const { code, stdout } = await cluster.tryK8ts("reset", "--check");
    assert.deepEqual([stdout, code], ["the host is as it was before the first up\n", 0]);
    assert.deepEqual(await hostState(), before_);
    assert.ok(!existsSync(cluster.dataDirectory) && !existsSync(cluster.runDirectory));
  });
});
