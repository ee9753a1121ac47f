// The node's server before a real containerd: streams, logs, rotation, probes and mounts as a pod meets them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { WebSocket } from "ws";
import type { Pod } from "../../api/types/core/v1.ts";
import { SeededRandom, silentLogger } from "../../base/index.ts";
import { LogRotator } from "../logs/index.ts";
import { HostProber } from "../probes/index.ts";
import { containerdMissing, hostClock, type PrivateContainerd, startContainerd, until } from "../runtime/cri/containerd.fixture.ts";
import { containerOf, sandboxOf } from "../runtime/runtime.suite.ts";
import type { Mount } from "../runtime/runtime.ts";
import { HostMounter, HostVolumeManager } from "../volumes/index.ts";
import { createAuthority } from "./certificates.fixture.ts";
import { NodeServer } from "./node-server.ts";

const SERVE = "mkdir -p /tmp/w; echo page > /tmp/w/index.html; httpd -p 8080 -h /tmp/w; while true; do echo line; sleep 0.1; done";

describe("A node on containerd", { skip: containerdMissing() }, () => {
  let containerd: PrivateContainerd;
  let server: NodeServer;
  let volumes: HostVolumeManager;
  let port: number;
  let id: string;
  let podIp: string;
  const authority = createAuthority();
  const admin = authority.issue("/O=system:masters/CN=apiserver");
  const rootDir = `/tmp/k8ts-kubelet-${process.pid}`;
  const pod: Pod = {
    metadata: { name: "web", namespace: "default", uid: "uid-of-web", labels: { app: "web" } },
    spec: {
      containers: [{ name: "main" }],
      volumes: [
        { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "labels", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
      ],
    },
  };

  before(async () => {
    containerd = await startContainerd();
    const { runtime } = containerd;
    const none = () => Promise.reject(new Error("not in this test"));
    volumes = new HostVolumeManager({
      rootDir,
      mounter: new HostMounter(),
      objects: { configMap: none, secret: none, claim: none, volume: none },
      client: { createSubresource: none },
      allocatable: () => ({}),
      clock: hostClock,
      random: new SeededRandom(1),
      pid: process.pid,
    });
    const paths = await volumes.mountPod(pod);
    const mount = (containerPath: string, hostPath = ""): Mount => ({ containerPath, hostPath, readonly: false, propagation: "PRIVATE" });
    const mounts = [
      mount("/memory", paths.get("memory")),
      mount("/labels", paths.get("labels")),
      mount("/sub", await volumes.subPath(pod, "memory", "deep/er")),
    ];
    const sandbox = sandboxOf({ logDirectory: `${containerd.directory}/logs`, cgroupParent: containerd.cgroupParent }, "web");
    const sandboxId = await runtime.runSandbox(sandbox);
    const config = { ...containerOf(containerd.image, sandbox, {}), mounts, command: ["sh", "-c", SERVE] };
    id = await runtime.createContainer(sandboxId, config, sandbox);
    await runtime.startContainer(id);
    podIp = (await runtime.listPods("uid-of-web"))[0]?.sandboxes[0]?.ips[0] ?? "";
    server = new NodeServer({
      nodeName: "node",
      runtime,
      pods: { get: () => pod, list: () => [pod], known: async () => {} },
      tls: { ...authority.issue("/CN=system:node:node"), clientCa: authority.cert },
      authorize: async () => true,
      metrics: { contentType: "text/plain", metrics: async () => "" },
      machine: { cpus: 4, memoryBytes: 8_000 },
      probeCounts: { list: () => [{ labels: { probe_type: "Liveness", result: "failed" }, count: 2 }] },
      configuration: { kind: "KubeletConfiguration", maxPods: 110 },
      isSyncing: () => true,
      nodeUsage: async () => ({ timestampMs: 0, cpuUsageCoreNanoSeconds: 0, memoryWorkingSetBytes: 0 }),
      clock: hostClock,
      logger: silentLogger,
    });
    port = await server.listen(0, "127.0.0.1");
  });
  after(async () => {
    await server?.close();
    await containerd?.[Symbol.asyncDispose]();
    await volumes?.unmountPod("uid-of-web");
    rmSync(rootDir, { recursive: true, force: true });
  });

  /** Runs a command over a WebSocket and answers what came on each channel. */
  async function exec(protocol: string, ...command: string[]): Promise<Map<number, string>> {
    const query = new URLSearchParams({ output: "1", error: "1" });
    for (const word of command) query.append("command", word);
    const url = `wss://127.0.0.1:${port}/exec/default/web/main?${query}`;
    const socket = new WebSocket(url, [protocol], { ca: authority.cert, ...admin });
    const channels = new Map<number, string>();
    socket.on("message", (data: Buffer) => {
      const channel = data[0] ?? 0;
      channels.set(channel, (channels.get(channel) ?? "") + data.subarray(1).toString());
    });
    await new Promise((resolve, reject) => socket.once("close", resolve).once("error", reject));
    return channels;
  }

  it("runs a command over WebSocket v4 with both outputs and the exit code", async () => {
    const channels = await exec("v4.channel.k8s.io", "sh", "-c", "echo out; echo err >&2; exit 3");
    assert.equal(channels.get(1), "out\n");
    assert.equal(channels.get(2), "err\n");
    assert.equal(JSON.parse(channels.get(3) ?? "").details.causes[0].message, "3");
  });

  it("passes on the refusal of WebSocket v5, so that kubectl falls back to SPDY", async () => {
    await assert.rejects(exec("v5.channel.k8s.io", "true"), /Unexpected server response: 403/);
  });

  it("has the pod's volumes in the container: tmpfs, files and a bound subPath", async () => {
    const run = async (script: string) => Buffer.from((await containerd.runtime.execSync(id, ["sh", "-c", script], 5)).stdout).toString();
    assert.equal(await run("cat /labels/labels"), 'app="web"');
    assert.equal(await run("echo deep > /sub/file; cat /memory/deep/er/file"), "deep\n");
    assert.match(await run("cat /proc/mounts"), / \/memory tmpfs .*size=1024k/);
  });

  it("probes the container by network and command", async () => {
    const prober = new HostProber({ runtime: containerd.runtime, clock: hostClock });
    const target = { podIp, containerId: id, ports: [], timeoutSeconds: 2 };
    assert.deepEqual(await prober.probe({ httpGet: { port: 8080, path: "/index.html" } }, target), { result: "success", output: "page\n" });
    assert.equal((await prober.probe({ tcpSocket: { port: 8081 } }, target)).output, `dial tcp ${podIp}:8081: connect: connection refused`);
    assert.equal((await prober.probe({ exec: { command: ["cat", "/none"] } }, target)).result, "failure");
    const overdue = await prober.probe({ exec: { command: ["sleep", "9"] } }, { ...target, timeoutSeconds: 1 });
    assert.deepEqual(overdue, { result: "failure", output: 'command timed out: "sleep 9" timed out after 1s' });
  });

  it("follows a log across its rotation", async () => {
    const { logPath } = await containerd.runtime.containerStatus(id);
    const path = "/containerLogs/default/web/main?follow=true&tailLines=0&limitBytes=60";
    const following = new Promise<string>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, ca: authority.cert, ...admin }, (response) => text(response).then(resolve, reject))
        .once("error", reject)
        .end();
    });
    await hostClock.sleep(300);
    const rotator = new LogRotator({ runtime: containerd.runtime, clock: hostClock, logger: silentLogger, maxBytes: 100 });
    await until(async () => readFileSync(logPath).length > 200);
    await rotator.rotateAll();
    assert.equal(await following, "line\n".repeat(12));
    assert.ok(existsSync(logPath));
    assert.equal(
      execFileSync("ls", [`${containerd.directory}/logs/default_web_uid-of-web/main`])
        .toString()
        .trim()
        .split("\n").length,
      2,
    );
  });

  it("tells what the container uses", async () => {
    const usage = (await containerd.runtime.usage()).find(({ containerId }) => containerId === id);
    assert.ok((usage?.memoryWorkingSetBytes ?? 0) > 0 && (usage?.cpuUsageCoreNanoSeconds ?? 0) > 0);
  });
});
