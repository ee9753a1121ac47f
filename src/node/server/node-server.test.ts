import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Pod } from "../../api/types/core/v1.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { containerOf, sandboxOf } from "../runtime/runtime.suite.ts";
import { SimulatedRuntime } from "../runtime/simulated/index.ts";
import { createAuthority, type TestCertificate } from "./certificates.fixture.ts";
import { NodeServer } from "./node-server.ts";

const ADMIN = "/O=system:masters/CN=kube-apiserver-kubelet-client";

/** Plays the runtime's streaming server: keeps what it got, answers what it is told to. */
class StreamingServer {
  readonly server: Server;
  received = "";
  socket: Socket | undefined;

  constructor(answer: string) {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      this.socket = socket;
      socket.on("data", (chunk) => {
        const isFirst = this.received === "";
        this.received += chunk.toString();
        if (isFirst) socket.write(answer);
      });
      socket.on("end", () => socket.end("bye"));
    });
  }

  async url(): Promise<URL> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return new URL(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}/exec/token?x=1`);
  }
}

describe("NodeServer", () => {
  let server: NodeServer;
  let port: number;
  let directory: string;
  let ca: string;
  let admin: TestCertificate;
  let other: TestCertificate;
  let stranger: TestCertificate;
  let streamUrl: URL | undefined;
  const streams: StreamingServer[] = [];
  const asked: string[] = [];
  const agent = new Agent();
  /** Whether the agent has learned all its pods. */
  let isLaterKnown: boolean;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "k8ts-server-"));
    const clock = new VirtualClock();
    class Streaming extends SimulatedRuntime {
      override execUrl = async () => streamUrl ?? new URL("http://127.0.0.1:1");
    }
    const runtime = new Streaming({ clock, random: new SeededRandom(1), behaviours: () => ({ cpuCores: 0.5, memoryBytes: 1_000 }) });
    await runtime.pullImage("app", undefined);
    const sandbox = sandboxOf({ logDirectory: directory, cgroupParent: "" }, "web");
    const sandboxId = await runtime.runSandbox(sandbox);
    for (const attempt of [0, 1]) {
      const id = await runtime.createContainer(sandboxId, containerOf("app", sandbox, { attempt }), sandbox);
      await runtime.startContainer(id);
      if (attempt === 0) await runtime.stopContainer(id, 0);
      const { logPath } = await runtime.containerStatus(id);
      mkdirSync(dirname(logPath), { recursive: true });
      writeFileSync(logPath, `2026-01-01T00:00:00Z stdout F attempt ${attempt}\n`);
    }
    await clock.advance(10_000);
    const authority = createAuthority();
    const foreign = createAuthority();
    ca = authority.cert;
    admin = authority.issue(ADMIN);
    other = authority.issue("/CN=someone");
    stranger = foreign.issue(ADMIN);
    const pod: Pod = {
      metadata: { name: "web", namespace: "default", uid: sandbox.uid },
      spec: { containers: [{ name: "main" }, { name: "late" }] },
      status: {
        containerStatuses: [
          { name: "late", ready: false, restartCount: 0, image: "", imageID: "", state: { waiting: { reason: "ImagePullBackOff" } } },
        ],
      },
    };
    server = new NodeServer({
      nodeName: "node-1",
      runtime,
      clock,
      logger: silentLogger,
      pods: {
        get: (namespace, name) => (namespace === "default" && (name === "web" || (isLaterKnown && name === "later")) ? pod : undefined),
        list: () => [pod],
        known: async () => {
          isLaterKnown = true;
        },
      },
      tls: { ...authority.issue("/CN=system:node:node-1"), clientCa: ca },
      authorize: async (user, verb, subresource) => {
        asked.push(`${user.name} ${user.groups.join("+")} ${verb} ${subresource}`);
        return user.groups.includes("system:masters");
      },
      metrics: { contentType: "text/plain", metrics: async () => "up 1\n" },
      machine: { cpus: 4, memoryBytes: 8_000 },
      probeCounts: { list: () => [{ labels: { probe_type: "Liveness", result: "failed" }, count: 2 }] },
      configuration: { kind: "KubeletConfiguration", maxPods: 110 },
      isSyncing: () => true,
      nodeUsage: async () => ({ timestampMs: clock.now(), cpuUsageCoreNanoSeconds: 7e9, memoryWorkingSetBytes: 2_000 }),
    });
    port = await server.listen(0, "127.0.0.1");
  });
  after(async () => {
    await server.close();
    for (const stream of streams) stream.server.close();
    rmSync(directory, { recursive: true });
  });

  async function get(path: string, client: TestCertificate | undefined = admin): Promise<{ code: number; body: string }> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, ca, ...client, agent }, resolve)
        .once("error", reject)
        .end();
    });
    return { code: response.statusCode ?? 0, body: await text(response) };
  }

  async function upgrade(path: string, client: TestCertificate = admin): Promise<TLSSocket> {
    const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
      host: "127.0.0.1",
      port,
      ca,
      ...client,
      allowHalfOpen: true,
    };
    const socket = connect(options);
    await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nAuthorization: Bearer secret\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nearly`,
    );
    return socket;
  }

  async function streaming(answer: string): Promise<StreamingServer> {
    const stream = new StreamingServer(answer);
    streams.push(stream);
    streamUrl = await stream.url();
    return stream;
  }

  it("asks for the fine permission first, and for the coarse one after", async () => {
    assert.equal((await get("/pods", other)).code, 403);
    const user = "someone system:authenticated get";
    assert.deepEqual(asked.slice(-2), [`${user} pods`, `${user} proxy`]);
    assert.equal(
      (await get("/configz", other)).body,
      "Forbidden (user=someone, verb=get, resource=nodes, subresource(s)=[configz proxy], node=node-1)",
    );
    await get("/metrics/cadvisor");
    assert.match(asked.at(-1) ?? "", /get metrics$/);
  });

  it("tells its settings, what runs, what probes found, and what containers use", async () => {
    assert.deepEqual(JSON.parse((await get("/configz")).body), { kubeletconfig: { kind: "KubeletConfiguration", maxPods: 110 } });
    assert.equal((await get("/healthz/syncloop")).body, "ok");
    const [running] = JSON.parse((await get("/runningpods/")).body).items;
    assert.equal(running.metadata.name, "web");
    assert.equal(running.spec.containers.length, 1);
    assert.match((await get("/metrics/probes")).body, /prober_probe_total\{probe_type="Liveness",result="failed"\} 2/);
    const cadvisor = (await get("/metrics/cadvisor")).body;
    assert.match(
      cadvisor,
      /container_memory_working_set_bytes\{container="main",id="[0-9a-f]+",image="",namespace="default",pod="web"\} 1000 /,
    );
    assert.match(cadvisor, /machine_cpu_cores 4/);
  });

  it("keeps the machine's logs to itself", async () => {
    assert.deepEqual(await get("/logs/syslog"), { code: 405, body: "logs endpoint is disabled." });
  });

  it("lets in whom the cluster's CA knows and the authorizer allows, also on a second connection", async () => {
    assert.deepEqual(await get("/healthz"), { code: 200, body: "ok" });
    assert.deepEqual(await get("/healthz"), { code: 200, body: "ok" });
    assert.equal(asked.at(-1), "kube-apiserver-kubelet-client system:masters+system:authenticated get healthz");
    assert.equal((await get("/healthz", { cert: "", key: "" })).code, 401);
    assert.equal((await get("/healthz", stranger)).code, 401);
    const refused = await get("/pods", other);
    assert.equal(refused.code, 403);
    assert.match(refused.body, /user=someone, verb=get, resource=nodes, subresource\(s\)=\[pods proxy\]/);
    assert.equal((await get("/nothing")).code, 404);
  });

  it("shows a container's log and the log before it", async () => {
    assert.deepEqual(await get("/containerLogs/default/web/main"), { code: 200, body: "attempt 1\n" });
    assert.deepEqual(await get("/containerLogs/default/web/main?previous=true&timestamps=true"), {
      code: 200,
      body: "2026-01-01T00:00:00Z attempt 0\n",
    });
    assert.equal((await get("/containerLogs/default/web/main?tailLines=0")).body, "");
  });

  it("waits for what an agent that has just begun does not know yet", async () => {
    isLaterKnown = false;
    assert.deepEqual(await get("/containerLogs/default/later/main"), { code: 200, body: "attempt 1\n" });
  });

  it("says why there is no log", async () => {
    assert.deepEqual(await get("/containerLogs/default/none/main"), { code: 404, body: "pod does not exist" });
    assert.deepEqual(await get("/containerLogs/default/web/x"), { code: 404, body: 'container "x" not found in pod "web"' });
    const waiting = 'container "late" in pod "web" is waiting to start: ImagePullBackOff';
    assert.deepEqual(await get("/containerLogs/default/web/late"), { code: 400, body: waiting });
    assert.equal((await get("/containerLogs/default/web/main?tailLines=x")).code, 422);
  });

  it("reports pods, metrics and what the node uses", async () => {
    assert.equal(JSON.parse((await get("/pods")).body).items[0].metadata.name, "web");
    assert.equal((await get("/metrics")).body, "up 1\n");
    const { node, pods } = JSON.parse((await get("/stats/summary")).body);
    assert.equal(node.cpu.usageCoreNanoSeconds, 7e9);
    assert.equal(pods[0].containers[0].cpu.usageCoreNanoSeconds, 5e9);
    assert.equal(pods[0].memory.workingSetBytes, 1_000);
    assert.match((await get("/metrics/resource")).body, /^pod_cpu_usage_seconds_total\{namespace="default",pod="web"\} 5 \d+$/m);
  });

  it("tunnels an upgrade to the runtime, without the caller's token, and closes half by half", async () => {
    const stream = await streaming("HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n");
    const socket = await upgrade("/exec/default/web/main?command=ls&output=1");
    const answer = text(socket);
    socket.end(" late");
    assert.match(await answer, /^HTTP\/1\.1 101 .*\r\n\r\nbye$/s);
    assert.match(stream.received, /^POST \/exec\/token\?x=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
    assert.match(stream.received, /X-Stream-Protocol-Version: v4\.channel\.k8s\.io\r\n\r\nearly late$/);
    assert.doesNotMatch(stream.received, /secret/);
  });

  it("passes on the runtime's refusal and its sudden end", async () => {
    const stream = await streaming("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    const socket = await upgrade("/exec/default/web/main?command=ls&output=1");
    const answer = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    assert.match(answer.toString(), /^HTTP\/1\.1 403 Forbidden.*no$/s);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    stream.socket?.resetAndDestroy();
    socket.end();
    await closed;
  });

  it("refuses upgrades of strangers and of containers that do not run", async () => {
    const read = async (path: string, client?: TestCertificate) => (await text((await upgrade(path, client)).end())).split("\r\n")[0];
    assert.equal(await read("/exec/default/web/main?output=1", other), "HTTP/1.1 403 Forbidden");
    assert.equal(await read("/exec/default/web/late?output=1"), "HTTP/1.1 404 Error");
    assert.equal(await read("/exec/default/web/main"), "HTTP/1.1 400 Error");
  });
});
