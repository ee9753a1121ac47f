// The README's first session, line by line, with real kubectl and real containers.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Pod } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually, eventuallyHolds } from "../cluster.fixture.ts";

interface List<T> {
  readonly items: readonly T[];
}

describe("a first session", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.shared("session");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const pods = async () =>
    (await cluster.get<List<Pod>>("pods", "-l", "app=kubia")).items.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const nameOf = (pod: Pod | undefined) => pod?.metadata.name ?? "";
  const runningPods = (count: number) =>
    eventually(`${count} pods run`, async () => {
      const all = await pods();
      const areReady = all.every(
        (pod) => pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true,
      );
      return all.length === count && areReady ? all : undefined;
    });

  it("prints where its kubeconfig is, and up again changes nothing", async () => {
    assert.match(await cluster.k8ts("env"), new RegExp(`export KUBECONFIG=.*${cluster.dataDirectory}/kubeconfig`));
    const serverPid = cluster.pid("server.pid");
    await cluster.k8ts("up");
    assert.equal(cluster.pid("server.pid"), serverPid);
    assert.match(await cluster.k8ts("status"), /running/);
  });

  it("runs a deployment, exposes and scales it", async () => {
    await cluster.kubectl("create", "deployment", "kubia", "--image=kubia", "--port=8080");
    await cluster.kubectl("expose", "deployment", "kubia", "--port=80", "--target-port=8080");
    await cluster.kubectl("scale", "deployment", "kubia", "--replicas=3");
    const [first] = await runningPods(3);
    const wide = await cluster.kubectl("get", "pods", "-o", "wide");
    assert.match(wide, /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE/);
    assert.match(wide, /1\/1 +Running +0 .* 10\.244\.\d+\.\d+ +node-\d/);
    await eventuallyHolds("events tell of it", async () => {
      const described = await cluster.kubectl("describe", "pod", nameOf(first));
      for (const reason of ["Scheduled", "Pulled", "Created", "Started"]) assert.match(described, new RegExp(`Normal +${reason} `));
      assert.match(await cluster.kubectl("get", "events"), /ScalingReplicaSet +deployment\/kubia +Scaled up replica set/);
    });
  });

  it("answers by its name in DNS, balanced over the pods", async () => {
    const fromClient = await cluster.kubectl("run", "client", "--rm", "-i", "--image=busybox", "--", "wget", "-qO-", "http://kubia");
    assert.match(fromClient, /You've hit kubia-/);
    const script = "for i in $(seq 20); do wget -qO- http://kubia; done";
    const output = await cluster.kubectl("exec", nameOf((await pods())[0]), "--", "sh", "-c", script);
    const answers = output.split("\n").filter((line) => line.startsWith("You've hit kubia-"));
    assert.equal(answers.length, 20);
    assert.ok(new Set(answers).size > 1, "only one pod has answered");
    const isGone = async () => !(await cluster.kubectl("get", "pods")).includes("client");
    await eventually("the client is gone", isGone, 120_000).catch(async (error: unknown) => {
      throw new Error(await cluster.kubectl("describe", "pod", "client"), { cause: error });
    });
  });

  it("shows logs, also as they come", async () => {
    const [pod] = await runningPods(3);
    assert.match(await cluster.kubectl("logs", nameOf(pod)), /^Kubia server starting/);
    const follower = cluster.startKubectl("logs", "-f", nameOf(pod));
    let seen = "";
    follower.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk;
    });
    await eventually("the log begins", async () => seen.includes("Kubia server starting"));
    await cluster.kubectl("exec", nameOf(pod), "--", "wget", "-qO-", "http://127.0.0.1:8080");
    await eventually("the request stands in the followed log", async () => seen.includes("Received request from ::ffff:127.0.0.1"));
    follower.kill();
    await once(follower, "close");
  });

  it("runs commands in a container: output, input, exit code, terminal", async () => {
    const name = nameOf((await runningPods(3))[0]);
    assert.equal((await cluster.kubectl("exec", name, "--", "hostname")).trim(), name);
    const piped = await cluster.tryKubectl(["exec", "-i", name, "--", "sh", "-c", "wc -c; exit 7"], "x".repeat(100_000));
    assert.deepEqual([piped.stdout.trim(), piped.code], ["100000", 7]);
    const shell = cluster.startKubectl("exec", "-it", name, "--", "sh", "-c", "echo from the shell; exit");
    const [code] = (await once(shell, "close")) as [number];
    assert.equal(code, 0);
  });

  it("forwards a port", async () => {
    const name = nameOf((await runningPods(3))[0]);
    const forward = cluster.startKubectl("port-forward", name, "18080:8080");
    const answer = await eventually("the forwarded port answers", async () => (await fetch("http://127.0.0.1:18080")).text(), 20_000);
    assert.equal(answer, `You've hit ${name}\n`);
    forward.kill();
    await once(forward, "close");
  });

  it("copies files in and out", async () => {
    const name = nameOf((await runningPods(3))[0]);
    const directory = mkdtempSync(join(tmpdir(), "k8ts-cp-"));
    writeFileSync(join(directory, "in"), "from outside\n");
    await cluster.kubectl("cp", join(directory, "in"), `${name}:/tmp/in`);
    assert.equal(await cluster.kubectl("exec", name, "--", "cat", "/tmp/in"), "from outside\n");
    await cluster.kubectl("cp", `${name}:/tmp/in`, join(directory, "out"));
    assert.equal(readFileSync(join(directory, "out"), "utf8"), "from outside\n");
    rmSync(directory, { recursive: true });
  });

  it("replaces a deleted pod", async () => {
    const name = nameOf((await runningPods(3))[0]);
    await cluster.kubectl("delete", "pod", name);
    assert.ok((await runningPods(3)).every((pod) => nameOf(pod) !== name));
  });

  it("restarts a killed container, counts, and backs off", async () => {
    const name = nameOf((await runningPods(3))[0]);
    const status = async () => (await cluster.get<Pod>("pod", name)).status?.containerStatuses?.[0];
    // The command may end with the container that it kills.
    const kill = () => cluster.tryKubectl(["exec", name, "--", "kill", "1"]);
    await kill();
    await eventually("the first restart, at once", async () => (await status())?.restartCount === 1 && (await status())?.ready === true);
    await kill();
    await eventually("the container waits", async () => (await status())?.state?.waiting?.reason === "CrashLoopBackOff");
    assert.match((await status())?.state?.waiting?.message ?? "", /^back-off 10s restarting failed container=kubia pod=/);
    assert.match(await cluster.kubectl("get", "pod", name), /CrashLoopBackOff +1 /);
    await eventually("the second restart, after the back-off", async () => (await status())?.restartCount === 2);
  });

  it("rolls out, shows the history, and goes back to the ReplicaSet that it had", async () => {
    const sets = async () =>
      (await cluster.get<List<{ metadata: { name: string } }>>("replicasets")).items.map(({ metadata }) => metadata.name);
    const [original] = await sets();
    await cluster.kubectl("set", "image", "deployment/kubia", "kubia=nginx");
    assert.match(await cluster.kubectl("rollout", "status", "deployment", "kubia", "--timeout=60s"), /successfully rolled out/);
    assert.match(await cluster.kubectl("rollout", "history", "deployment", "kubia"), /1 +<none>\n2 +<none>/);
    assert.equal((await sets()).length, 2);
    await cluster.kubectl("rollout", "undo", "deployment", "kubia");
    await cluster.kubectl("rollout", "status", "deployment", "kubia", "--timeout=60s");
    assert.equal((await sets()).length, 2);
    const [pod] = await runningPods(3);
    assert.equal(pod?.metadata.ownerReferences?.[0]?.name, original);
  });

  it("takes the pods with the deployment", async () => {
    await cluster.kubectl("delete", "deployment,service", "kubia");
    await eventually("the pods are gone", async () => (await pods()).length === 0);
    await eventually("so are their ReplicaSets", async () => (await cluster.kubectl("get", "replicasets")) === "");
  });
});
