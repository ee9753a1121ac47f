// What an administrator sets for nodes: the kubelet's configuration, registries, and the end of a machine.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeImages } from "../images/make-images.ts";
import { Cluster, eventually, run } from "./cluster.fixture.ts";
import { Pods } from "./pods.fixture.ts";
import { LOGIN, Registry } from "./registry.fixture.ts";

const KUBELET = {
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  maxPods: 20,
  podPidsLimit: 32,
  shutdownGracePeriod: "15s",
  shutdownGracePeriodCriticalPods: "5s",
};

const HUGE_PAGES = "/proc/sys/vm/nr_hugepages";
const hugePages = () => Number(readFileSync(HUGE_PAGES, "utf8"));
const hadHugePages = hugePages();
// Before the node counts them; without the right to it there are none.
spawnSync("sh", ["-c", `echo 8 >${HUGE_PAGES}`]);

describe("a node's settings", () => {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-settings-"));
  let cluster: Cluster;
  let pods: Pods;
  let registry: Registry;
  before(async () => {
    const { busybox } = await makeImages(resolve(import.meta.dirname, "../../.cache/images"));
    registry = await Registry.serve(busybox ?? "");
    const file = (name: string, content: object) => {
      writeFileSync(join(directory, name), JSON.stringify(content));
      return join(directory, name);
    };
    const registries = {
      mirrors: { "mirrored.example": { endpoint: [`http://${registry.host}`] } },
      configs: { [registry.host]: { auth: { auth: LOGIN } } },
    };
    const settings = ["--kubelet-config", file("kubelet.yaml", KUBELET), "--registries", file("registries.yaml", registries)];
    cluster = await Cluster.up({ options: settings });
    pods = new Pods(cluster);
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
    spawnSync("sh", ["-c", `echo ${hadHugePages} >${HUGE_PAGES}`]);
  });

  it("limit how many pods it takes, and how many processes each of them has", async () => {
    assert.equal(await cluster.kubectl("get", "node", "node-1", "-o", "jsonpath={.status.capacity.pods}"), "20");
    const script = "for i in $(seq 64); do sleep 5 & done 2>&1; wait; echo the end";
    await pods.scripts("bomb", { main: script });
    assert.match(await pods.output("bomb", "main"), /can't fork/);
  });

  it("give huge pages to pods that ask for them", { skip: hugePages() < 8 && "the machine has no huge pages" }, async () => {
    assert.equal(await cluster.kubectl("get", "node", "node-1", "-o", "jsonpath={.status.capacity.hugepages-2Mi}"), "16Mi");
    const limits = { memory: "32Mi", "hugepages-2Mi": "4Mi" };
    const volumes = [{ name: "huge", emptyDir: { medium: "HugePages-2Mi" } }];
    const container = { resources: { limits }, volumeMounts: [{ name: "huge", mountPath: "/huge" }] };
    await pods.scripts("huge", { main: "grep /huge /proc/mounts" }, { volumes }, container);
    assert.match(await pods.output("huge", "main"), /hugetlbfs.*pagesize=2M/);
  });

  it("resize a pod as a whole while it runs", async () => {
    const resources = { requests: { cpu: "100m" }, limits: { memory: "64Mi" } };
    await pods.create("whole", [{}], { resources });
    await pods.untilReady("whole");
    const { metadata, status } = await pods.get("whole");
    assert.deepEqual(status?.resources?.limits, { memory: "64Mi" });
    const limit = async () => {
      const files = await run("find", [
        "/sys/fs/cgroup",
        "-path",
        `*pod${metadata.uid}/memory.max`,
        "-o",
        "-path",
        `*pod${metadata.uid}/memory.limit_in_bytes`,
      ]);
      return (await run("cat", files.stdout.trim().split("\n"))).stdout.trim();
    };
    assert.equal(await limit(), String(64 * 2 ** 20));
    await cluster.kubectl("patch", "pod", "whole", "--subresource=resize", "-p", '{"spec":{"resources":{"limits":{"memory":"96Mi"}}}}');
    await eventually("it has more", async () => (await pods.get("whole")).status?.resources?.limits?.["memory"] === "96Mi");
    await eventually("so has its control group", async () => (await limit()) === String(96 * 2 ** 20));
    assert.equal((await pods.status("whole", "c0"))?.restartCount, 0);
  });

  it("pull through mirrors with the mirror's password", async () => {
    await pods.create("mirrored", [{ image: "mirrored.example/team/app:1" }]);
    await pods.untilReady("mirrored");
    assert.ok(registry.asked.some((path) => path.startsWith("/v2/team/app/manifests/1")));
    await eventually("an event tells of it", async () =>
      /Successfully pulled image "mirrored.example\/team\/app:1" in \d+ms \(\d+ms including waiting\)\. Image size: \d+ bytes\./.test(
        await cluster.kubectl("get", "events", "--field-selector=involvedObject.name=mirrored,reason=Pulled"),
      ),
    );
  });

  it("keep an image that was pulled with a secret from pods without it", async () => {
    // By this name the node itself has no password.
    const server = registry.host.replace("localhost", "127.0.0.1");
    const image = `${server}/private/app:1`;
    await pods.create("stranger", [{ image }]);
    const login = ["--docker-username=robot", "--docker-password=secret"];
    await cluster.kubectl("create", "secret", "docker-registry", "pull", `--docker-server=${server}`, ...login);
    await pods.create("owner", [{ image }], { imagePullSecrets: [{ name: "pull" }] });
    await pods.untilReady("owner");
    const asked = registry.asked.length;
    await pods.create("friend", [{ image, imagePullPolicy: "Never" }], { imagePullSecrets: [{ name: "pull" }] });
    await pods.untilReady("friend");
    assert.equal(registry.asked.length, asked, "the secret was known");
    await pods.create("thief", [{ image, imagePullPolicy: "Never" }]);
    const waiting = async (name: string) => (await pods.status(name, "c0"))?.state?.waiting?.reason ?? "";
    await eventually("the thief does not get it", async () => (await waiting("thief")) === "ErrImageNeverPull");
    await eventually("the stranger does not get it", async () => /ErrImagePull|ImagePullBackOff/.test(await waiting("stranger")));
    await cluster.kubectl("delete", "pod", "--all", "--now");
  });

  it("end pods in order when the machine is shut down, and say so", async () => {
    const trap = (signal: string) => ["sh", "-c", `trap 'sleep 1; exit 7' ${signal}; while true; do sleep 0.1; done`];
    const spec = { os: { name: "linux" }, terminationGracePeriodSeconds: 30 };
    await pods.create("plain", [{ command: trap("USR1"), lifecycle: { stopSignal: "SIGUSR1" } }], spec);
    await pods.create("critical", [{ command: trap("TERM") }], { ...spec, priorityClassName: "system-node-critical" });
    await pods.untilReady("plain");
    await pods.untilReady("critical");
    assert.equal((await pods.status("plain", "c0"))?.stopSignal, "SIGUSR1");
    await cluster.k8ts("node", "shutdown", "node-1");
    for (const name of ["plain", "critical"]) {
      const { phase, reason, message } = (await pods.get(name)).status ?? {};
      assert.deepEqual([phase, reason], ["Failed", "Terminated"]);
      assert.equal(message, "Pod was terminated in response to imminent node shutdown.");
      assert.equal((await pods.status(name, "c0"))?.state?.terminated?.exitCode, 7);
    }
    const finishedAt = async (name: string) => Date.parse((await pods.status(name, "c0"))?.state?.terminated?.finishedAt ?? "");
    assert.ok((await finishedAt("plain")) <= (await finishedAt("critical")));
    await eventually("the node is not ready", async () => /NotReady/.test(await cluster.kubectl("get", "nodes")));
  });
});
