import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import type { PodObject } from "../pod/pod-object.ts";
import { type CgroupFiles, detectHierarchy } from "./hierarchy.ts";
import { HostCgroups } from "./host-cgroups.ts";

class FakeCgroupFiles implements CgroupFiles {
  readonly texts = new Map<string, string>();
  readonly made = new Set<string>();

  async read(path: string) {
    return this.texts.get(path);
  }

  async write(path: string, text: string) {
    this.texts.set(path, text);
  }

  async makeDirectory(path: string) {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) this.made.add(path.slice(0, end));
  }

  async removeDirectory(path: string) {
    if ((this.texts.get(`${path}/cgroup.procs`) ?? "") !== "") throw Object.assign(new Error("busy"), { code: "EBUSY" });
    this.made.delete(path);
  }

  kill(pid: number) {
    for (const [path, text] of this.texts) if (path.endsWith("/cgroup.procs")) this.texts.set(path, text.replace(`${pid}\n`, ""));
  }

  async directories(path: string) {
    const below = [...this.made].filter((made) => made.startsWith(`${path}/`)).map((made) => made.slice(path.length + 1));
    return below.filter((name) => !name.includes("/"));
  }
}

const pod: PodObject = {
  metadata: { uid: "u1", name: "web" },
  spec: { containers: [{ name: "main", resources: { requests: { cpu: "500m", memory: "64Mi" }, limits: { cpu: "1", memory: "128Mi" } } }] },
};

test("on version 1 a burstable pod gets shares, quota and memory limit in each controller's tree", async () => {
  const files = new FakeCgroupFiles();
  for (const controller of ["cpu", "memory", "pids", "systemd"]) await files.makeDirectory(`/cg/${controller}`);
  const groups = new HostCgroups({
    hierarchy: await detectHierarchy(files, "/cg"),
    milliCpus: 2000,
    memoryBytes: 4 * 2 ** 30,
    podPidsLimit: 64,
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  await groups.setUp();
  assert.equal(await groups.ensurePod(pod), "/k8ts/kubepods/burstable/podu1");
  const at = (path: string) => files.texts.get(`/cg/${path}`);
  assert.equal(at("cpu/k8ts/kubepods/burstable/podu1/cpu.shares"), "512");
  assert.equal(at("cpu/k8ts/kubepods/burstable/podu1/cpu.cfs_quota_us"), "100000");
  assert.equal(at("memory/k8ts/kubepods/burstable/podu1/memory.limit_in_bytes"), String(128 * 2 ** 20));
  assert.equal(at("pids/k8ts/kubepods/burstable/podu1/pids.max"), "64");
  assert.equal(at("cpu/k8ts/kubepods/burstable/cpu.shares"), "512");
  assert.equal(at("memory/k8ts/kubepods/memory.limit_in_bytes"), String(4 * 2 ** 30), "all pods together have what is allocatable");
  assert.deepEqual(await groups.listPods(), ["u1"]);
  assert.equal(await groups.countProcesses(pod), 0);
  files.texts.set("/cg/pids/k8ts/kubepods/burstable/podu1/pids.current", "7\n");
  assert.equal(await groups.countProcesses(pod), 7);
  await files.makeDirectory("/cg/systemd/k8ts/kubepods/burstable/podu1/abc");
  await groups.removePod("u1");
  assert.deepEqual(
    [...files.made].filter((path) => path.includes("podu1")),
    [],
  );
});

test("on version 2 controllers are passed down and weights written", async () => {
  const files = new FakeCgroupFiles();
  files.texts.set("/cg/cgroup.controllers", "cpu memory pids");
  files.texts.set("/cg/cgroup.subtree_control", "cpu memory");
  const groups = new HostCgroups({
    hierarchy: await detectHierarchy(files, "/cg"),
    root: "n2",
    milliCpus: 2000,
    memoryBytes: 4 * 2 ** 30,
    podPidsLimit: 64,
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  await groups.setUp();
  assert.equal(files.texts.get("/cg/cgroup.subtree_control"), "+pids", "only what was missing");
  const group = await groups.ensurePod(pod);
  assert.equal(files.texts.get(`/cg${group}/cpu.weight`), "20");
  assert.equal(files.texts.get(`/cg${group}/pids.max`), "64");
  assert.equal(files.texts.get(`/cg${group}/cpu.max`), "100000 100000");
  assert.equal(files.texts.get(`/cg${group}/memory.max`), String(128 * 2 ** 20));
});

test("what a runtime has lost sight of is killed with the pod's group", async () => {
  const files = new FakeCgroupFiles();
  files.texts.set("/cg/cgroup.controllers", "");
  const clock = new VirtualClock();
  const more = { milliCpus: 2000, memoryBytes: 4 * 2 ** 30, clock, logger: silentLogger };
  const groups = new HostCgroups({ hierarchy: await detectHierarchy(files, "/cg"), ...more });
  const group = await groups.ensurePod(pod);
  await files.makeDirectory(`/cg${group}/lost`);
  files.texts.set(`/cg${group}/lost/cgroup.procs`, "17\n18\n");
  const removed = groups.removePod("u1");
  await clock.advance(1_000);
  await removed;
  assert.deepEqual(await groups.listPods(), []);
});
