// What Kubernetes' conformance tests ask of a node, on real containers; behaviours that go together share a pod.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Container, Node, Pod, Probe } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually, eventuallyHolds } from "../cluster.fixture.ts";
import { Pods } from "../pods.fixture.ts";

const lines = (text: string) => text.trim().split("\n");
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const resource = (name: string, path: string) => ({ name, valueFrom: { resourceFieldRef: { resource: path } } });

/** Answers gRPC health checks, with NOT_SERVING after `failsAfterMs`. */
const grpcServer = (failsAfterMs: number) => `
const started = Date.now();
require("http2").createServer().on("stream", (stream) => {
  const status = Date.now() - started > ${failsAfterMs} ? 2 : 1;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
}).listen(5000);
process.on("SIGTERM", () => process.exit(0));`;

/** Answers 200, and 500 after `failsAfterMs`; notes who asked. */
const httpServer = (failsAfterMs: number) => `
const started = Date.now();
require("http").createServer((request, response) => {
  console.log(request.url, request.headers["x-test"] ?? "");
  response.statusCode = Date.now() - started > ${failsAfterMs} ? 500 : 200;
  response.end();
}).listen(8080);
process.on("SIGTERM", () => process.exit(0));`;

const nodeProgram = (code: string): Partial<Container> => ({ image: "kubia", command: ["node", "-e", code] });
const FOREVER = 1e9;

describe("a node as conformance wants it", () => {
  let cluster: Cluster;
  let pods: Pods;
  before(async () => {
    cluster = await Cluster.shared("node-conformance");
    pods = new Pods(cluster);
    await cluster.kubectl("create", "configmap", "data", "--from-literal=p1=v1", "--from-literal=p2=v2");
    await cluster.kubectl("create", "secret", "generic", "data", "--from-literal=s1=w1");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const restarts = async (name: string, container = "c0") => (await pods.status(name, container))?.restartCount ?? 0;

  it("fills the environment from maps, secrets, fields, resources and services", async () => {
    const env = [
      field("NAME", "metadata.name"),
      field("NAMESPACE", "metadata.namespace"),
      field("UID", "metadata.uid"),
      field("POD_IP", "status.podIP"),
      field("HOST_IP", "status.hostIP"),
      field("HOST_IPS", "status.hostIPs"),
      resource("CPU_LIMIT", "limits.cpu"),
      resource("CPU_REQUEST", "requests.cpu"),
      resource("MEMORY_LIMIT", "limits.memory"),
      resource("MEMORY_REQUEST", "requests.memory"),
      { name: "ONE", valueFrom: { configMapKeyRef: { name: "data", key: "p1" } } },
      { name: "SECRET", valueFrom: { secretKeyRef: { name: "data", key: "s1" } } },
      { name: "FOO", value: "foo" },
      { name: "COMPOSED", value: "$(FOO);;$(NAME)" },
    ];
    const envFrom = ["", "p-", "1_", "x."].map((prefix) => ({ prefix, configMapRef: { name: "data" } }));
    const fromSecret = ["q-", "2."].map((prefix) => ({ prefix, secretRef: { name: "data" } }));
    const resources = { limits: { cpu: "1250m", memory: "64Mi" }, requests: { cpu: "250m", memory: "32Mi" } };
    const containers = [
      { command: ["env"], env, envFrom: [...envFrom, ...fromSecret], resources },
      { command: ["env"], env: [resource("CPU_LIMIT", "limits.cpu"), resource("MEMORY_LIMIT", "limits.memory")] },
    ];
    await pods.create("environment", containers, { restartPolicy: "Never" });
    const seen = new Set(lines(await pods.output("environment", "c0")));
    const pod = await pods.get("environment");
    const nodeIp = "10.199.0.1";
    for (const line of [
      ...["NAME=environment", `NAMESPACE=${cluster.namespace}`, `UID=${pod.metadata.uid}`, `HOST_IP=${nodeIp}`, `HOST_IPS=${nodeIp}`],
      ...["CPU_LIMIT=2", "CPU_REQUEST=1", "MEMORY_LIMIT=67108864", "MEMORY_REQUEST=33554432"],
      ...["ONE=v1", "SECRET=w1", "COMPOSED=foo;;environment", "p1=v1", "p-p1=v1", "1_p2=v2", "x.p2=v2", "q-s1=w1", "2.s1=w1"],
      ...["KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_PORT_443_TCP_PROTO=tcp"],
    ]) {
      assert.ok(seen.has(line), `${line} is missing in ${[...seen].join(" ")}`);
    }
    assert.ok([...seen].some((line) => /^POD_IP=10\.244\./.test(line)));
    const [node] = (await cluster.get<{ items: Node[] }>("nodes")).items;
    const memory = Number.parseInt(node?.status?.allocatable?.["memory"] ?? "", 10) * 1024;
    assert.match(
      await pods.output("environment", "c1"),
      new RegExp(`CPU_LIMIT=${node?.status?.allocatable?.["cpu"]}\n[\\s\\S]*MEMORY_LIMIT=${memory}\n`),
    );
  });

  it("takes command and arguments from pod and image, with references expanded", async () => {
    const env = [{ name: "WORD", value: "expanded" }];
    const show = 'echo "$0 $@"';
    await pods.create(
      "words",
      [
        { image: "kubia", command: undefined, args: ["-e", "console.log('arguments')"] },
        { image: "kubia", command: ["echo", "command"] },
        { command: ["sh", "-c", show, "both"], args: ["$(WORD)", "$(UNKNOWN)", "$$(WORD)"], env },
        { command: ["echo", "$(WORD)"], env },
      ],
      { restartPolicy: "Never" },
    );
    assert.equal(await pods.output("words", "c1"), "command\n");
    assert.equal(await pods.output("words", "c2"), "both expanded $(UNKNOWN) $(WORD)\n");
    assert.equal(await pods.output("words", "c3"), "expanded\n");
  });

  it("reports how containers ended, with their last words", async () => {
    const fallback = "FallbackToLogsOnError";
    await pods.create(
      "last-words",
      [
        { command: ["sh", "-c", "echo log; printf OK > /dev/termination-log"], terminationMessagePolicy: fallback },
        { command: ["sh", "-c", "echo log"], terminationMessagePolicy: fallback },
        { command: ["sh", "-c", "echo DONE; exit 1"], terminationMessagePolicy: fallback },
        { command: ["sh", "-c", "printf PATH > /tmp/words"], terminationMessagePath: "/tmp/words", securityContext: { runAsUser: 1000 } },
      ],
      { restartPolicy: "Never" },
    );
    await pods.untilPhase("last-words", "Failed");
    const ended = (await pods.get("last-words")).status?.containerStatuses?.map(({ state }) => state?.terminated) ?? [];
    assert.deepEqual(
      ended.map((state) => state?.message),
      ["OK", undefined, "DONE\n", "PATH"],
    );
    assert.deepEqual(
      ended.map((state) => [state?.exitCode, state?.reason]),
      [
        [0, "Completed"],
        [0, "Completed"],
        [1, "Error"],
        [0, "Completed"],
      ],
    );
  });

  it("goes through phases by restart policy", async () => {
    const fails = [{ command: ["false"] }];
    await pods.create("always", fails, { restartPolicy: "Always" });
    await pods.create(
      "on-failure",
      [{ command: ["sh", "-c", "test -e /d/f || { touch /d/f; exit 1; }"], volumeMounts: [{ name: "d", mountPath: "/d" }] }],
      { restartPolicy: "OnFailure", volumes: [{ name: "d", emptyDir: {} }] },
    );
    await pods.create("never", fails, { restartPolicy: "Never" });
    await pods.untilPhase("never", "Failed");
    await pods.untilPhase("on-failure", "Succeeded");
    assert.equal(await restarts("on-failure"), 1);
    await eventually("it is started again", async () => (await restarts("always")) >= 1);
    const { status } = await pods.get("always");
    assert.equal(status?.phase, "Running");
    assert.ok(status?.containerStatuses?.[0]?.lastState?.terminated?.reason === "Error");
    await cluster.kubectl("delete", "pod", "always", "--now");
  });

  it("runs init containers in order, and stops where one fails", async () => {
    const init = (name: string, command: string): Container => ({ name, image: "busybox", command: [command] });
    const good = [init("init1", "true"), init("init2", "true")];
    const bad = [init("init1", "false"), init("init2", "true")];
    await pods.create("init-always", [{}], { initContainers: good });
    await pods.create("init-never", [{ command: ["true"] }], { initContainers: good, restartPolicy: "Never" });
    await pods.create("bad-always", [{}], { initContainers: bad });
    await pods.create("bad-never", [{}], { initContainers: bad, restartPolicy: "Never" });
    await pods.untilReady("init-always");
    await pods.untilPhase("init-never", "Succeeded");
    await pods.untilPhase("bad-never", "Failed");
    const failed = (await pods.get("bad-never")).status;
    assert.equal(failed?.initContainerStatuses?.[1]?.state?.waiting?.reason, "PodInitializing");
    assert.equal(failed?.containerStatuses?.[0]?.state?.waiting?.reason, "PodInitializing");
    const initialized = failed?.conditions?.find(({ type }) => type === "Initialized");
    assert.deepEqual([initialized?.status, initialized?.reason], ["False", "ContainersNotInitialized"]);
    await eventually("it is tried again", async () => (await restarts("bad-always", "init1")) >= 1);
    const stuck = (await pods.get("bad-always")).status;
    assert.equal(stuck?.phase, "Pending");
    assert.equal(stuck?.containerStatuses?.[0]?.state?.waiting?.reason, "PodInitializing");
    assert.ok((await pods.get("init-always")).status?.initContainerStatuses?.every(({ ready }) => ready));
    await cluster.kubectl("delete", "pod", "bad-always", "init-always", "--now");
  });

  it("calls hooks by command and by HTTP when containers start and stop", async () => {
    await pods.create("listener", [
      { ...nodeProgram(httpServer(FOREVER)), readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } },
    ]);
    await pods.untilReady("listener");
    const host = (await pods.get("listener")).status?.podIP;
    const httpGet = (path: string) => ({ httpGet: { path, port: 8080, host, httpHeaders: [{ name: "X-Test", value: "hook" }] } });
    const exec = (path: string) => ({ exec: { command: ["wget", "-qO-", `http://${host}:8080${path}`] } });
    await pods.create(
      "hooked",
      [
        { lifecycle: { postStart: exec("/start-exec"), preStop: exec("/stop-exec") } },
        { lifecycle: { postStart: httpGet("/start-http"), preStop: httpGet("/stop-http") } },
      ],
      { terminationGracePeriodSeconds: 15 },
    );
    await pods.untilReady("hooked");
    await cluster.kubectl("delete", "pod", "hooked");
    await eventuallyHolds("all hooks were called", async () => {
      const log = lines(await cluster.kubectl("logs", "listener")).map((line) => line.trim());
      assert.deepEqual(log.sort(), ["/start-exec", "/start-http hook", "/stop-exec", "/stop-http hook"]);
    });
  });

  it("restarts what its liveness probe calls dead, and nothing else", async () => {
    const quick = { periodSeconds: 1, failureThreshold: 2, initialDelaySeconds: 2, timeoutSeconds: 4 };
    const live = (program: Partial<Container>, probe: Probe): Partial<Container> => ({ ...program, livenessProbe: { ...quick, ...probe } });
    /** May take its time to start. */
    const slow = (program: Partial<Container>, probe: Probe) => {
      return { ...live(program, probe), startupProbe: { periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 4, ...probe } };
    };
    const http = { httpGet: { path: "/healthz", port: 8080 } };
    const grpc = { grpc: { port: 5000 } };
    const dies = { command: ["sh", "-c", "touch /tmp/health; sleep 2; rm /tmp/health; sleep 600"] };
    await pods.create("dying", [
      live(nodeProgram(httpServer(2_000)), http),
      live(nodeProgram(grpcServer(2_000)), grpc),
      live(dies, { exec: { command: ["cat", "/tmp/health"] } }),
    ]);
    await pods.create("living", [
      slow(nodeProgram(httpServer(FOREVER)), http),
      slow(nodeProgram(grpcServer(FOREVER)), grpc),
      live({ command: ["sh", "-c", "touch /tmp/health; sleep 600"] }, { exec: { command: ["cat", "/tmp/health"] } }),
      { ...nodeProgram("setInterval(() => {}, 1e6)"), livenessProbe: { ...quick, tcpSocket: { port: 8080 } } },
    ]);
    await pods.create("unready", [{ readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 } }]);
    await pods.create("delayed", [{ readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 6, periodSeconds: 1 } }]);
    await eventually("all three are restarted", async () => {
      const counts = (await pods.get("dying")).status?.containerStatuses?.map(({ restartCount }) => restartCount) ?? [];
      return counts.length === 3 && counts.every((count) => count >= 1);
    });
    const living = (await pods.get("living")).status?.containerStatuses?.map(({ restartCount }) => restartCount);
    assert.deepEqual(living, [0, 0, 0, 0]);
    const unready = await pods.status("unready", "c0");
    assert.deepEqual([unready?.ready, unready?.restartCount], [false, 0]);
    await pods.untilReady("delayed");
    const { status } = await pods.get("delayed");
    const startedAt = Date.parse(status?.containerStatuses?.[0]?.state?.running?.startedAt ?? "");
    const readyAt = Date.parse(status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "");
    assert.ok(readyAt - startedAt >= 5_000, `ready ${readyAt - startedAt} ms after its start`);
    await cluster.kubectl("delete", "pod", "dying", "living", "unready", "delayed", "--now");
  });

  it("confines containers as their security contexts say", async () => {
    const id = "id -u; id -g; id -G";
    await pods.create(
      "confined",
      [
        { command: ["sh", "-c", id], securityContext: { runAsUser: 65534 } },
        { command: ["sh", "-c", id], securityContext: { runAsUser: 1001, runAsGroup: 2002 } },
        { command: ["sh", "-c", "ip link add dummy0 type dummy || echo refused"], securityContext: { privileged: false } },
        { command: ["sh", "-c", "touch /x && echo written"], securityContext: { readOnlyRootFilesystem: false, runAsUser: 0 } },
        { command: ["sh", "-c", "touch /x || echo readonly"], securityContext: { readOnlyRootFilesystem: true } },
        { command: ["grep", "NoNewPrivs", "/proc/self/status"], securityContext: { runAsUser: 1000, allowPrivilegeEscalation: false } },
        { command: ["grep", "Seccomp:", "/proc/self/status"], securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
      ],
      { restartPolicy: "Never", securityContext: { runAsGroup: 3003, supplementalGroups: [4004] } },
    );
    const outputs = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((index) => pods.output("confined", `c${index}`)));
    assert.deepEqual(lines(outputs[0] ?? "").slice(0, 2), ["65534", "3003"]);
    assert.match(outputs[0] ?? "", /4004/);
    assert.deepEqual(lines(outputs[1] ?? "").slice(0, 2), ["1001", "2002"]);
    assert.match(outputs[2] ?? "", /refused/);
    assert.match(outputs[3] ?? "", /written/);
    assert.match(outputs[4] ?? "", /readonly/);
    assert.match(outputs[5] ?? "", /1/);
    assert.match(outputs[6] ?? "", /2/);
  });

  it("sets safe sysctls, and refuses all others", async () => {
    const sysctls = (name: string) => ({ securityContext: { sysctls: [{ name, value: "1" }] } });
    await pods.scripts("sysctl", { main: "cat /proc/sys/kernel/shm_rmid_forced" }, sysctls("kernel.shm_rmid_forced"));
    assert.equal(await pods.output("sysctl", "main"), "1\n");
    await pods.create("bad-sysctl", [{}], sysctls("kernel.msgmax"));
    await pods.untilPhase("bad-sysctl", "Failed");
    assert.equal((await pods.get("bad-sysctl")).status?.reason, "SysctlForbidden");
    const invalid = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "x" },
      spec: { containers: [{ name: "c", image: "busybox" }], ...sysctls("foo-") },
    };
    assert.match(
      (await cluster.tryKubectl(["create", "-f", "-"], JSON.stringify(invalid))).stderr,
      /spec.securityContext.sysctls\[0\].name/,
    );
  });

  it("manages /etc/hosts, with the pod's aliases", async () => {
    const hostAliases = [{ ip: "123.45.67.89", hostnames: ["foo", "bar"] }];
    const volumes = [{ name: "own", emptyDir: {} }];
    const init = {
      name: "init",
      image: "busybox",
      command: ["sh", "-c", "echo own > /d/hosts"],
      volumeMounts: [{ name: "own", mountPath: "/d" }],
    };
    await pods.create(
      "hosts",
      [
        { command: ["cat", "/etc/hosts"] },
        { command: ["cat", "/etc/hosts"], volumeMounts: [{ name: "own", mountPath: "/etc/hosts", subPath: "hosts" }] },
      ],
      { hostAliases, volumes, initContainers: [init], restartPolicy: "Never" },
    );
    assert.match(
      await pods.output("hosts", "c0"),
      /^# Kubernetes-managed hosts file\.[\s\S]*\n10\.244\.[\d.]+\thosts\n[\s\S]*\n123\.45\.67\.89\tfoo\tbar\n/,
    );
    assert.equal(await pods.output("hosts", "c1"), "own\n");
    await pods.create("host-network", [{ command: ["cat", "/etc/hosts"] }], { hostNetwork: true, restartPolicy: "Never" });
    assert.match(await pods.output("host-network", "c0"), /^# Kubernetes-managed hosts file \(host network\)\./);
  });

  it("names pods as they wish, shares processes, and follows DNS policies", async () => {
    const read = { command: ["sh", "-c", "hostname; cat /etc/resolv.conf"] };
    const once = { restartPolicy: "Never", hostname: "me", subdomain: "sub" };
    await pods.create("fqdn", [read], { ...once, setHostnameAsFQDN: true });
    await pods.create("dns-none", [read], {
      ...once,
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["1.1.1.1"], searches: ["a.b"], options: [{ name: "ndots", value: "2" }] },
    });
    await pods.create("override", [read], { restartPolicy: "Never", hostnameOverride: "other.example" });
    await pods.create("processes", [{}, { command: ["sh", "-c", "sleep 1; ps"] }], { shareProcessNamespace: true });
    assert.match(
      await pods.output("fqdn", "c0"),
      new RegExp(`^me\\.sub\\.${cluster.namespace}\\.svc\\.cluster\\.local\n[\\s\\S]*nameserver 10\\.96\\.0\\.10`),
    );
    assert.match(await pods.output("dns-none", "c0"), /^me\n[\s\S]*search a\.b\nnameserver 1\.1\.1\.1\noptions ndots:2/);
    assert.match(await pods.output("override", "c0"), /^other\.example\n/);
    await eventually("it sees the other's processes", async () =>
      /pause|catatonit[\s\S]*sleep 0\.1|trap/.test(await cluster.kubectl("logs", "processes", "-c", "c1")),
    );
    await cluster.kubectl("delete", "pod", "processes", "--now");
  });

  it("expands subPathExpr, and refuses what leads elsewhere until it is mended", async () => {
    const volumes = [{ name: "work", emptyDir: {} }];
    const env = [field("NAME", "metadata.name"), field("PATH_FROM_NOTE", "metadata.annotations['path']")];
    const expr = (subPathExpr: string) => [{ name: "work", mountPath: "/sub", subPathExpr }];
    await pods.create(
      "expanded",
      [
        { command: ["sh", "-c", "echo text > /sub/file"], env, volumeMounts: expr("$(NAME)/logs") },
        {
          command: ["sh", "-c", "until cat /work/expanded/logs/file; do sleep 0.1; done"],
          volumeMounts: [{ name: "work", mountPath: "/work" }],
        },
      ],
      { volumes, restartPolicy: "Never" },
    );
    assert.match(await pods.output("expanded", "c1"), /text\n$/);
    await pods.create("wrong-path", [{ env, volumeMounts: expr("$(PATH_FROM_NOTE)") }], { volumes }, { path: "/absolute" });
    await eventually(
      "it is refused",
      async () => (await pods.status("wrong-path", "c0"))?.state?.waiting?.reason === "CreateContainerConfigError",
    );
    await cluster.kubectl("annotate", "--overwrite", "pod", "wrong-path", "path=mended");
    await pods.untilReady("wrong-path");
    const backticks = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "backticks" },
      spec: { containers: [{ name: "c", image: "busybox", env, volumeMounts: expr("..") }], volumes },
    };
    assert.match((await cluster.tryKubectl(["create", "-f", "-"], JSON.stringify(backticks))).stderr, /must not contain '\.\.'/);
    await cluster.kubectl("delete", "pod", "wrong-path", "--now");
  });

  it("starts ephemeral containers beside a running pod", async () => {
    await pods.create("target", [{}]);
    await pods.untilReady("target");
    const debug = async (name: string) => {
      const { status, ...pod } = await pods.get("target");
      const known = pod.spec?.ephemeralContainers ?? [];
      const container = { name, image: "busybox", command: ["sh", "-c", "ps; sleep 600"], targetContainerName: "c0" };
      const body = JSON.stringify({ ...pod, spec: { ...pod.spec, ephemeralContainers: [...known, container] } });
      const { code, stderr } = await cluster.tryKubectl(
        ["replace", "--raw", `/api/v1/namespaces/${cluster.namespace}/pods/target/ephemeralcontainers`, "-f", "-"],
        body,
      );
      assert.equal(code, 0, stderr);
      await eventually(`${name} runs`, async () => (await pods.status("target", name))?.state?.running !== undefined);
    };
    await debug("first");
    await debug("second");
    await eventually("it sees the target's processes", async () => /trap/.test(await cluster.kubectl("logs", "target", "-c", "second")));
    await cluster.kubectl("delete", "pod", "target", "--now");
  });

  it("resizes containers in place", async () => {
    const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
    await pods.create("resized", [
      { resources: resources("100m", "64Mi") },
      { resources: resources("100m", "64Mi"), resizePolicy: [{ resourceName: "memory", restartPolicy: "RestartContainer" }] },
    ]);
    await pods.untilReady("resized");
    const generation = (await pods.get("resized")).metadata.generation ?? 0;
    const containers = ["c0", "c1"].map((name) => ({ name, resources: resources("200m", "96Mi") }));
    await cluster.kubectl("patch", "pod", "resized", "--subresource=resize", "-p", JSON.stringify({ spec: { containers } }));
    const script =
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max";
    await eventually("both have their new resources", async () => {
      const statuses = (await pods.get("resized")).status?.containerStatuses ?? [];
      return (
        statuses.length === 2 &&
        statuses.every(({ resources: has, ready }) => has?.limits?.["memory"] === "96Mi" && has?.requests?.["cpu"] === "200m" && ready)
      );
    });
    for (const name of ["c0", "c1"]) assert.match(await pods.exec("resized", name, "sh", "-c", script), /^100663296\n20000/);
    assert.deepEqual([await restarts("resized", "c0"), await restarts("resized", "c1")], [0, 1]);
    await eventuallyHolds("the resize is over", async () => {
      const { metadata, status } = await pods.get("resized");
      assert.equal(metadata.generation, generation + 1);
      assert.equal(status?.observedGeneration, metadata.generation);
      assert.ok(!status?.conditions?.some(({ type }) => type.startsWith("PodResize")));
    });
    const removed = await cluster.tryKubectl([
      "patch",
      "pod",
      "resized",
      "--subresource=resize",
      "-p",
      '{"spec":{"containers":[{"name":"c0","resources":{"limits":{"cpu":"300m"}}}]}}',
    ]);
    assert.match(removed.stderr, /Pod QOS Class may not change as a result of resizing|must be equal|less than or equal/);
    const infeasible = { spec: { containers: [{ name: "c0", resources: resources("1000", "96Mi") }] } };
    await cluster.kubectl("patch", "pod", "resized", "--subresource=resize", "-p", JSON.stringify(infeasible));
    await eventually("it is infeasible", async () =>
      (await pods.get("resized")).status?.conditions?.some(({ type, reason }) => type === "PodResizePending" && reason === "Infeasible"),
    );
    await cluster.kubectl("delete", "pod", "resized", "--now");
  });

  it("counts generations of a pod's specification and says which one it has seen", async () => {
    await pods.create("counted", [{}]);
    await pods.untilReady("counted");
    assert.equal((await pods.get("counted")).metadata.generation, 1);
    await cluster.kubectl("label", "pod", "counted", "a=b");
    assert.equal((await pods.get("counted")).metadata.generation, 1);
    await cluster.kubectl("patch", "pod", "counted", "-p", '{"spec":{"activeDeadlineSeconds":100}}');
    await eventually("it is seen", async () => {
      const { metadata, status } = await pods.get("counted");
      return (
        metadata.generation === 2 &&
        status?.observedGeneration === 2 &&
        status.conditions?.every((c) => c.type === "PodScheduled" || c.observedGeneration === 2)
      );
    });
    await cluster.kubectl("patch", "pod", "counted", "-p", '{"spec":{"activeDeadlineSeconds":1}}');
    await pods.untilPhase("counted", "Failed");
    assert.equal((await pods.get("counted")).status?.reason, "DeadlineExceeded");
  });

  it("runs pods of a runtime class, and says which handler it does not have", async () => {
    const runtimeClass = (name: string, handler: string) => ({
      apiVersion: "node.k8s.io/v1",
      kind: "RuntimeClass",
      metadata: { name },
      handler,
    });
    await cluster.apply(runtimeClass("present", "runc"));
    await cluster.apply(runtimeClass("absent", "gvisor"));
    await pods.create("with-class", [{}], { runtimeClassName: "present" });
    await pods.create("without-handler", [{}], { runtimeClassName: "absent" });
    await pods.untilReady("with-class");
    await eventually("the event says so", async () =>
      /FailedCreatePodSandBox.*no runtime for "gvisor" is configured/.test(await cluster.kubectl("get", "events")),
    );
    await pods.create("own-users", [{}], { hostUsers: false });
    await eventually("user namespaces are refused", async () =>
      /does not support user namespaces/.test(await cluster.kubectl("get", "events")),
    );
    await cluster.kubectl("delete", "pod", "with-class", "without-handler", "own-users", "--now");
  });

  it("says that the kernel killed a container for its memory", async () => {
    const eats = "x=a; while true; do x=$x$x; done";
    await pods.create("eater", [{ command: ["sh", "-c", eats], resources: { limits: { memory: "16Mi" } } }], { restartPolicy: "Never" });
    await pods.untilPhase("eater", "Failed");
    const ended = (await pods.status("eater", "c0"))?.state?.terminated;
    assert.deepEqual([ended?.reason, ended?.exitCode], ["OOMKilled", 137]);
  });

  it("tells classes, addresses and what was deleted", async () => {
    const equal = { cpu: "100m", memory: "16Mi" };
    await pods.create("guaranteed", [{ command: ["true"], resources: { limits: equal } }], { restartPolicy: "Never" });
    await pods.untilPhase("guaranteed", "Succeeded");
    const { status } = await pods.get("guaranteed");
    assert.deepEqual([status?.qosClass, status?.hostIP, status?.hostIPs], ["Guaranteed", "10.199.0.1", [{ ip: "10.199.0.1" }]]);
    await cluster.kubectl("delete", "pods", "--all", "--now");
    assert.deepEqual((await cluster.get<{ items: Pod[] }>("pods")).items, []);
  });
});
