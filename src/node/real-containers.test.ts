// The agent with a real containerd, real volumes and control groups; the API alone is in memory.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { resources } from "../api/index.ts";
import type { Pod, PodSpec } from "../api/types/core/v1.ts";
import { SeededRandom, silentLogger } from "../base/index.ts";
import { detectHierarchy, diskCgroups } from "./cgroups/hierarchy.ts";
import { HostCgroups } from "./cgroups/host-cgroups.ts";
import { FakeClient } from "./fake-client.fixture.ts";
import { diskFiles } from "./files.ts";
import { NodeAgent } from "./node-agent.ts";
import { ObjectCache } from "./object-cache.ts";
import { HostProber } from "./probes/index.ts";
import { containerdMissing, hostClock, startContainerd } from "./runtime/cri/containerd.fixture.ts";
import { HostMounter, HostVolumeManager } from "./volumes/index.ts";

async function until(what: string, condition: () => boolean, limitMs = 15_000): Promise<void> {
  const end = hostClock.monotonic() + limitMs;
  while (!condition()) {
    if (hostClock.monotonic() > end) throw new Error(`timed out: ${what}`);
    await hostClock.sleep(20);
  }
}

test("a real pod gets its volumes, environment, hosts file and limits, runs, and is deleted", { skip: containerdMissing() }, async () => {
  const root = `k8ts-agent-test-${process.pid}`;
  const hierarchy = await detectHierarchy(diskCgroups);
  // After containerd, which takes its containers with it.
  await using _groups = { [Symbol.asyncDispose]: () => hierarchy.remove(`/${root}`) };
  await using containerd = await startContainerd();
  const directory = await mkdtemp(join(tmpdir(), "k8ts-node-"));
  const client = new FakeClient(() => hostClock.now());
  const random = new SeededRandom(7);
  const objects = new ObjectCache(client, hostClock);
  const rootDir = join(directory, "kubelet");
  const stop = new AbortController();
  const seen: string[] = [];
  const agent = new NodeAgent({
    client,
    runtime: containerd.runtime,
    volumes: new HostVolumeManager({
      rootDir,
      mounter: new HostMounter(),
      objects,
      client,
      allocatable: () => ({}),
      clock: hostClock,
      random,
      pid: process.pid,
    }),
    prober: new HostProber({ runtime: containerd.runtime, clock: hostClock }),
    cgroups: new HostCgroups({ hierarchy, root, memoryBytes: 8 * 2 ** 30, milliCpus: 2000, clock: hostClock, logger: silentLogger }),
    files: diskFiles,
    events: { event: (_about, _type, reason, message) => seen.push(`${reason}: ${message}`) },
    objects,
    clock: hostClock,
    random,
    logger: silentLogger,
    nodeName: "node-1",
    nodeIps: ["192.0.2.1"],
    kubeletPort: 10250,
    machine: { cpus: 2, memoryBytes: 2 ** 33, kernel: "", osImage: "", bootId: "", machineId: "", systemUuid: "", architecture: "amd64" },
    clusterDns: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    rootDir,
    logDir: join(directory, "logs"),
  });
  const running = agent.run(stop.signal);
  try {
    await client.create(resources.configmaps, { metadata: { name: "settings", namespace: "default" }, data: { color: "blue" } });
    const script =
      'echo "$COLOR $(cat /settings/color) $(head -n 1 /etc/hosts)" | tr "\\n" " " > /shared/out; cat /shared/out > /dev/termination-log';
    const base = { image: containerd.image, imagePullPolicy: "IfNotPresent", terminationMessagePath: "/dev/termination-log" };
    const volumeMounts = [
      { name: "settings", mountPath: "/settings" },
      { name: "shared", mountPath: "/shared" },
    ];
    const env = [{ name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } }];
    const spec: PodSpec = {
      nodeName: "node-1",
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 1,
      dnsPolicy: "ClusterFirst",
      volumes: [
        { name: "settings", configMap: { name: "settings", defaultMode: 0o644 } },
        { name: "shared", emptyDir: {} },
      ],
      initContainers: [{ ...base, name: "write", command: ["/bin/sh", "-c", script], env, volumeMounts }],
      containers: [
        {
          ...base,
          name: "main",
          command: ["/bin/sh", "-c", "cat /shared/out; echo; sleep 1000"],
          volumeMounts,
          resources: { requests: { cpu: "100m" }, limits: { cpu: "500m", memory: "64Mi" } },
          readinessProbe: {
            exec: { command: ["/bin/cat", "/shared/out"] },
            periodSeconds: 1,
            timeoutSeconds: 5,
            successThreshold: 1,
            failureThreshold: 3,
          },
        },
      ],
    };
    const pod: Pod = {
      metadata: { name: "web", namespace: "default", uid: "11111111-2222-3333-4444-555555555555" },
      spec,
      status: { phase: "Pending" },
    };
    await client.create(resources.pods, pod);
    const status = () => client.peek(resources.pods, "web", "default")?.status;
    await until("ready", () => status()?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true);
    assert.equal(status()?.initContainerStatuses?.[0]?.state?.terminated?.message, "blue blue # Kubernetes-managed hosts file. ");
    const logFile = join(directory, "logs", "default_web_11111111-2222-3333-4444-555555555555", "main", "0.log");
    let log = "";
    await until("log", () => {
      void readFile(logFile, "utf8").then((text) => (log = text));
      return log !== "";
    });
    assert.match(log, /stdout [FP] blue blue/);
    assert.deepEqual(await hierarchy.children(`/${root}/kubepods/burstable`), ["pod11111111-2222-3333-4444-555555555555"]);
    await client.delete(resources.pods, "web", { namespace: "default", options: { gracePeriodSeconds: 1 } });
    await until("deleted", () => status() === undefined);
    await until("forgotten", () => agent.pods.list().length === 0);
    assert.deepEqual(await containerd.runtime.listPods(), []);
    assert.deepEqual(await hierarchy.children(`/${root}/kubepods/burstable`), []);
  } catch (error) {
    throw new Error(`${seen.join("\n")}\n${JSON.stringify(client.peek(resources.pods, "web", "default")?.status)}`, { cause: error });
  } finally {
    stop.abort(new Error("the test is over"));
    await running;
    await rm(directory, { recursive: true, force: true });
  }
});
