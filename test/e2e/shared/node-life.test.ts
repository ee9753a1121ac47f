// A node's life: static pods, limits of local storage, what it tells, whom it lets in, and what it survives. The node is all its own.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { Pod } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually, eventuallyHolds, RESERVED_NODE, run } from "../cluster.fixture.ts";
import { Pods } from "../pods.fixture.ts";

describe("a node", () => {
  let cluster: Cluster;
  let pods: Pods;
  before(async () => {
    cluster = await Cluster.shared("node-life");
    pods = new Pods(cluster, RESERVED_NODE);
  });
  after(() => cluster[Symbol.asyncDispose]());

  const containerIds = async (name: string) => (await pods.get(name)).status?.containerStatuses?.map(({ containerID }) => containerID);
  const restarts = async (name: string) => (await pods.get(name)).status?.containerStatuses?.map(({ restartCount }) => restartCount);
  const raw = (path: string) => cluster.kubectl("get", "--raw", `/api/v1/nodes/node-3/proxy${path}`);

  it("runs what stands in its manifest directory, and shows it in the API", async () => {
    const file = `${cluster.dataDirectory}/nodes/node-3/manifests/web.yaml`;
    const metadata = { name: "web", namespace: cluster.namespace };
    const container = { name: "main", image: "busybox", command: ["sh", "-c", "echo static; sleep 600"] };
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [container] } }));
    await pods.untilReady("web-node-3");
    const ids = await containerIds("web-node-3");
    await eventually("its log is there", async () => (await cluster.kubectl("logs", "web-node-3")) === "static\n");
    await cluster.kubectl("delete", "pod", "web-node-3", "--now");
    await eventually("the mirror is back", async () => (await pods.get("web-node-3")).status?.phase === "Running");
    assert.deepEqual(await containerIds("web-node-3"), ids, "the pod itself was left alone");
    rmSync(file);
    await eventually("it is gone", async () => (await cluster.tryKubectl(["get", "pod", "web-node-3"])).code === 1);
  });

  it("evicts pods that outgrow their local storage", async () => {
    const fill = (path: string) => ["sh", "-c", `dd if=/dev/zero of=${path} bs=1M count=5; sleep 600`];
    const volumeMounts = [{ name: "scratch", mountPath: "/scratch" }];
    const volumes = [{ name: "scratch", emptyDir: { sizeLimit: "1Mi" } }];
    await pods.create("hoarder", [{ command: fill("/scratch/file"), volumeMounts }], { volumes });
    await pods.create("writer", [{ command: fill("/file"), resources: { limits: { "ephemeral-storage": "2Mi" } } }]);
    await pods.untilPhase("hoarder", "Failed");
    await pods.untilPhase("writer", "Failed");
    const { status } = await pods.get("hoarder");
    assert.equal(status?.reason, "Evicted");
    assert.equal(status?.message, 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ');
    assert.ok(status?.conditions?.some(({ type, reason }) => type === "DisruptionTarget" && reason === "TerminationByKubelet"));
    const total = "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ";
    assert.equal((await pods.get("writer")).status?.message, total);
    await cluster.kubectl("delete", "pod", "hoarder", "writer", "--now");
  });

  it("tells what it has, what runs and how it is set up", async () => {
    await pods.create("steady", [{}]);
    await pods.untilReady("steady");
    assert.equal(await raw("/healthz"), "ok");
    assert.equal(await raw("/healthz/syncloop"), "ok");
    assert.equal(JSON.parse(await raw("/configz")).kubeletconfig.clusterDomain, "cluster.local");
    const running = JSON.parse(await raw("/runningpods/")).items as Pod[];
    assert.ok(running.some(({ metadata }) => metadata.name === "steady"));
    await eventuallyHolds("what it measures is there", async () => {
      const summary = JSON.parse(await raw("/stats/summary"));
      assert.ok(summary.node.fs.capacityBytes > 0 && summary.node.rlimit.curproc > 0 && summary.node.runtime.imageFs.availableBytes > 0);
      const pod = summary.pods.find(({ podRef }: { podRef: { name: string } }) => podRef.name === "steady");
      assert.ok(pod.containers[0].memory.usageBytes > 0 && pod["ephemeral-storage"].capacityBytes > 0);
      assert.match(await raw("/metrics/cadvisor"), /container_memory_working_set_bytes\{container="c0".*pod="steady"\} \d+/);
      assert.match(await raw("/metrics"), /kubelet_running_pods 1/);
    });
    assert.match((await cluster.tryKubectl(["get", "--raw", "/api/v1/nodes/node-3/proxy/logs/"])).stderr, /disabled|MethodNotAllowed|405/);
  });

  it("may read what its own pods refer to, and nothing else", async () => {
    await cluster.kubectl("create", "secret", "generic", "foreign", "--from-literal=a=b");
    await cluster.kubectl("create", "secret", "generic", "own", "--from-literal=a=b");
    await pods.create("reader", [{}], { volumes: [{ name: "own", secret: { secretName: "own" } }] });
    await pods.untilReady("reader");
    const asNode = (...args: string[]) =>
      cluster.tryKubectl(["--kubeconfig", `${cluster.dataDirectory}/nodes/node-3/kubeconfig`, "-n", cluster.namespace, ...args]);
    assert.equal((await asNode("get", "secret", "own")).code, 0);
    assert.match((await asNode("get", "secret", "foreign")).stderr, /no relationship found between node 'node-3' and this object/);
    assert.match((await asNode("get", "secrets")).stderr, /forbidden/);
    assert.match((await asNode("get", "secrets", "--field-selector=metadata.name=foreign")).stderr, /no relationship found/);
    await cluster.kubectl("delete", "pod", "reader", "--now");
  });

  it("does not follow a link that a container puts in the place of its log", async () => {
    await pods.create("forger", [{ command: ["sh", "-c", "ln -sf /etc/passwd /dev/termination-log 2>/dev/null; exit 1"] }], {
      restartPolicy: "Never",
    });
    await pods.untilPhase("forger", "Failed");
    assert.doesNotMatch((await pods.status("forger", "c0"))?.state?.terminated?.message ?? "", /root:/);
    await cluster.kubectl("delete", "pod", "forger", "--now");
  });

  it("leaves its pods alone when its agent is started again", async () => {
    const ids = await containerIds("steady");
    await cluster.k8ts("node", "stop", "node-3");
    await cluster.k8ts("node", "start", "node-3");
    await pods.untilReady("steady");
    assert.deepEqual(await containerIds("steady"), ids);
    assert.deepEqual(await restarts("steady"), [0]);
  });

  it("goes on after its containerd was killed", async () => {
    const ids = await containerIds("steady");
    const killed = cluster.pid("node-3/containerd.pid");
    process.kill(killed, "SIGKILL");
    // Whoever else brings the cluster up mends it.
    const isMended = () => cluster.pid("node-3/containerd.pid") !== killed;
    await eventually(
      "the node is not ready",
      async () => isMended() || /NotReady/.test(await cluster.kubectl("get", "node", RESERVED_NODE)),
    );
    await cluster.k8ts("up", "--port", "16443");
    await eventually("the node is ready", async () => !/NotReady/.test(await cluster.kubectl("get", "node", RESERVED_NODE)));
    await eventually("commands run", async () => (await pods.exec("steady", "c0", "echo", "here")).trim() === "here");
    assert.deepEqual(await containerIds("steady"), ids);
    await pods.create("after", [{ command: ["true"] }], { restartPolicy: "Never" });
    await pods.untilPhase("after", "Succeeded");
  });

  it("starts pods anew whose sandbox was killed, and finds what was left behind", async () => {
    const socket = `${cluster.runDirectory}/node-3/containerd.sock`;
    const ctr = (...args: string[]) => run("ctr", ["--address", socket, "-n", "k8s.io", ...args]);
    const uid = (await pods.get("steady")).metadata.uid ?? "";
    const sandboxes = (
      await ctr("containers", "list", "-q", `labels."io.kubernetes.pod.uid"==${uid},labels."io.cri-containerd.kind"==sandbox`)
    ).stdout;
    await ctr("tasks", "kill", "-s", "SIGKILL", sandboxes.trim());
    await eventually("it runs in a new sandbox", async () => ((await restarts("steady"))?.[0] ?? 0) >= 1);
    await pods.untilReady("steady");
    await cluster.k8ts("node", "stop", "node-3");
    await cluster.kubectl("delete", "pod", "steady", "--grace-period=0", "--force");
    await cluster.k8ts("node", "start", "node-3");
    await eventually(
      "its containers are gone",
      async () => !(await ctr("containers", "list", "-q", `labels."io.kubernetes.pod.uid"==${uid}`)).stdout.trim(),
    );
    await eventuallyHolds("so are its control groups and mounts", async () => {
      const cgroup = await run("find", ["/sys/fs/cgroup", "-maxdepth", "7", "-name", `*${uid}*`]);
      assert.equal(cgroup.stdout, "");
      assert.doesNotMatch((await run("cat", ["/proc/self/mounts"])).stdout, new RegExp(uid));
    });
  });
});
