// What a node does when something that it depends on goes away and comes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../api/index.ts";
import { AgentWorld } from "./agent.fixture.ts";
import { MemoryFiles } from "./files.ts";

const HOUR_MS = 3_600_000;
const main = (world: AgentWorld, name: string) => world.pod(name)?.status?.containerStatuses?.[0];
const machine = (bootId: string) => ({
  ...{ cpus: 4, memoryBytes: 8 * 2 ** 30, kernel: "6.1", osImage: "Debian", machineId: "machine", systemUuid: "system" },
  ...{ architecture: "amd64", bootId },
});

test("an hour without the API: pods run on, are started again, and all is told afterwards", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("steady", {});
  await world.createPod("crashing", {}, { "sim.k8ts.dev/run-for-seconds": "1200" });
  await world.createPod("deleted", {});
  await world.clock.advance(1_000);
  const before = main(world, "steady")?.containerID;
  world.client.isAway = true;
  await world.clock.advance(HOUR_MS);
  const running = (await world.runtime.listPods()).flatMap(({ containers }) => containers.filter(({ state }) => state === "RUNNING"));
  assert.equal(running.length, 3, "nothing was given up, and what ended was started again");
  world.client.isAway = false;
  await world.client.delete(resources.pods, "deleted", { namespace: "default" });
  await world.clock.advance(65_000);
  assert.equal(main(world, "steady")?.containerID, before);
  assert.ok((main(world, "crashing")?.restartCount ?? 0) >= 2);
  assert.equal(world.pod("deleted"), undefined);
});

test("a lease is renewed as soon as the API is back", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.clock.advance(1_000);
  const renewedAt = () => Date.parse(world.client.peek(resources.leases, "node-1", "kube-node-lease")?.spec?.renewTime ?? "");
  world.client.isAway = true;
  await world.clock.advance(HOUR_MS);
  world.client.isAway = false;
  await world.clock.advance(2_000);
  assert.ok(world.clock.now() - renewedAt() <= 2_000);
});

test("after a reboot every pod gets a new sandbox and its containers start once more", async () => {
  await using world = new AgentWorld();
  world.start({ machine: machine("first") });
  await world.createPod("web", {});
  await world.createPod("done", { restartPolicy: "Never" }, { "sim.k8ts.dev/run-for-seconds": "1" });
  await world.clock.advance(5_000);
  assert.equal(world.phase("done"), "Succeeded");
  await world.reboot();
  world.start({ machine: machine("second") });
  await world.clock.advance(5_000);
  assert.equal(world.phase("web"), "Running");
  assert.equal(main(world, "web")?.restartCount, 1);
  assert.equal(world.phase("done"), "Succeeded", "what had ended stays so");
  assert.equal((await world.runtime.listPods()).length, 1);
  assert.ok(world.events.some(({ message }) => message === "Node node-1 has been rebooted, boot id: second"));
  assert.equal(world.client.peek(resources.nodes, "node-1")?.status?.nodeInfo?.bootID, "second");
});

test("a runtime that is away makes the node unready, and nothing is lost when it is back", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", {});
  await world.clock.advance(1_000);
  const before = main(world, "web")?.containerID;
  const { status, listPods } = world.runtime;
  const away = () => Promise.reject(new Error("connect ENOENT containerd.sock"));
  Object.assign(world.runtime, { status: away, listPods: away });
  await world.clock.advance(20_000);
  const ready = () => world.client.peek(resources.nodes, "node-1")?.status?.conditions?.find(({ type }) => type === "Ready");
  assert.equal(ready()?.status, "False");
  assert.equal(ready()?.message, "[container runtime is down, connect ENOENT containerd.sock]");
  Object.assign(world.runtime, { status, listPods });
  await world.clock.advance(5_000);
  assert.equal(ready()?.status, "True");
  await world.clock.advance(61_000);
  assert.equal(main(world, "web")?.containerID, before);
  assert.equal(world.phase("web"), "Running");
});

/** A disk that is full while `isFull`. */
class FullableFiles extends MemoryFiles {
  isFull = false;

  override async write(path: string, text: string): Promise<void> {
    if (this.isFull) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    await super.write(path, text);
  }
}

test("a full disk keeps new pods waiting and says so; pods that run go on, and the others start when there is room", async () => {
  await using world = new AgentWorld();
  const files = new FullableFiles();
  world.start({ files });
  await world.createPod("steady", {});
  await world.clock.advance(1_000);
  const before = main(world, "steady")?.containerID;
  files.isFull = true;
  await world.createPod("late", {});
  await world.clock.advance(30_000);
  assert.equal(main(world, "late")?.state?.waiting?.reason, "CreateContainerConfigError");
  assert.match(main(world, "late")?.state?.waiting?.message ?? "", /ENOSPC/);
  assert.ok(world.reasons("late").includes("Failed"));
  assert.equal(main(world, "steady")?.containerID, before);
  assert.equal(world.phase("steady"), "Running");
  await world.client.delete(resources.pods, "steady", { namespace: "default" });
  await world.clock.advance(35_000);
  assert.equal(world.pod("steady"), undefined, "pods can be ended");
  files.isFull = false;
  await world.clock.advance(130_000);
  assert.equal(world.phase("late"), "Running");
});
