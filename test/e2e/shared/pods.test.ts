// What a node does for a pod: its environment, volumes, limits, probes, hooks and end, on real containers.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { Container, Pod, PodSpec } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually, eventuallyHolds } from "../cluster.fixture.ts";

const SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"];

describe("pods on a node", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.shared("pods");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const get = (name: string) => cluster.get<Pod>("pod", name);
  const inPod = (name: string, ...command: string[]) => cluster.kubectl("exec", name, "--", ...command);
  const create = async (name: string, container: Partial<Container>, spec: Partial<PodSpec> = {}) => {
    const containers = [{ name: "main", image: "busybox", command: SLEEP, ...container }];
    const labels = { name };
    await cluster.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels },
      spec: { terminationGracePeriodSeconds: 2, nodeSelector: { "kubernetes.io/hostname": "node-1" }, containers, ...spec },
    });
  };
  const untilReady = (name: string) =>
    eventually(`pod ${name} is ready`, async () =>
      (await get(name)).status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
    );
  const untilPhase = (name: string, phase: string) =>
    eventually(`pod ${name} is ${phase}`, async () => (await get(name)).status?.phase === phase);

  it("get their environment from values, fields, config maps, secrets and services", async () => {
    await cluster.kubectl("create", "configmap", "settings", "--from-literal=color=blue");
    await cluster.kubectl("create", "secret", "generic", "credentials", "--from-literal=password=s3cret");
    await create("environment", {
      env: [
        { name: "GREETING", value: "hello $(WHO)" },
        { name: "WHO", value: "world" },
        { name: "AGAIN", value: "$(WHO) and $$(WHO)" },
        { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } },
        { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "credentials", key: "password" } } },
        { name: "LIMIT", valueFrom: { resourceFieldRef: { resource: "limits.memory" } } },
      ],
      envFrom: [{ prefix: "CFG_", configMapRef: { name: "settings" } }],
      resources: { limits: { memory: "64Mi", cpu: "500m" } },
    });
    await untilReady("environment");
    const lines = (await inPod("environment", "env")).split("\n");
    for (const line of [
      "GREETING=hello $(WHO)",
      "AGAIN=world and $(WHO)",
      "POD_NAME=environment",
      "COLOR=blue",
      "PASSWORD=s3cret",
      "LIMIT=67108864",
      "CFG_color=blue",
    ]) {
      assert.ok(lines.includes(line), `${line} is missing`);
    }
    assert.ok(lines.includes("KUBERNETES_SERVICE_HOST=10.96.0.1"));
  });

  it("are held to their limits by control groups", async () => {
    const memory = ["memory/memory.limit_in_bytes", "memory.max"].map((file) => `/sys/fs/cgroup/${file}`);
    const script = `cat ${memory.join(" ")} 2>/dev/null | head -1`;
    assert.equal((await inPod("environment", "sh", "-c", script)).trim(), "67108864");
  });

  it("mount volumes of every kind, and see a config map change", async () => {
    await create(
      "volumes",
      { volumeMounts: ["config", "secret", "scratch", "info", "all"].map((name) => ({ name, mountPath: `/mnt/${name}` })) },
      {
        volumes: [
          { name: "config", configMap: { name: "settings" } },
          { name: "secret", secret: { secretName: "credentials", defaultMode: 0o400 } },
          { name: "scratch", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
          { name: "info", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
          { name: "all", projected: { sources: [{ configMap: { name: "settings" } }, { secret: { name: "credentials" } }] } },
        ],
      },
    );
    await untilReady("volumes");
    assert.equal(await inPod("volumes", "cat", "/mnt/config/color", "/mnt/all/password", "/mnt/info/labels"), 'blues3cretname="volumes"');
    assert.match(await inPod("volumes", "stat", "-Lc", "%a", "/mnt/secret/password"), /^400/);
    assert.match(await inPod("volumes", "sh", "-c", "grep /mnt/scratch /proc/mounts"), /tmpfs/);
    await cluster.kubectl("patch", "configmap", "settings", "-p", '{"data":{"color":"green"}}');
    await eventually("the new content arrives", async () => (await inPod("volumes", "cat", "/mnt/config/color")) === "green", 100_000);
  });

  it("speak to the API with their own token, and are told what they may not do", async () => {
    await cluster.kubectl("create", "serviceaccount", "reader");
    await cluster.kubectl("create", "rolebinding", "reader", "--clusterrole=view", `--serviceaccount=${cluster.namespace}:reader`);
    const code = `const fs=require("fs"),d="/var/run/secrets/kubernetes.io/serviceaccount/",get=p=>new Promise(r=>require("https").get({host:"kubernetes.default",path:p,ca:fs.readFileSync(d+"ca.crt"),headers:{authorization:"Bearer "+fs.readFileSync(d+"token")}},m=>r(m.resume().statusCode)));(async()=>console.log(await get("/api/v1/namespaces/${cluster.namespace}/pods"),await get("/api/v1/namespaces/${cluster.namespace}/secrets")))()`;
    await create("speaker", { image: "kubia", command: ["node", "-e", code] }, { serviceAccountName: "reader", restartPolicy: "Never" });
    await untilPhase("speaker", "Succeeded");
    assert.equal(await cluster.kubectl("logs", "speaker"), "200 403\n");
  });

  it("run init containers one after the other, then the others", async () => {
    const init = (name: string, text: string): Container => ({
      name,
      image: "busybox",
      command: ["sh", "-c", `echo ${text} >> /work/order`],
      volumeMounts: [{ name: "work", mountPath: "/work" }],
    });
    await create(
      "inits",
      { volumeMounts: [{ name: "work", mountPath: "/work" }] },
      { initContainers: [init("first", "1"), init("second", "2")], volumes: [{ name: "work", emptyDir: {} }] },
    );
    await untilReady("inits");
    assert.equal(await inPod("inits", "cat", "/work/order"), "1\n2\n");
  });

  it("restart when liveness fails, and are not ready while readiness does", async () => {
    // A busy machine takes its time for a command.
    const timing = { periodSeconds: 1, timeoutSeconds: 20 };
    await create("probed", {
      livenessProbe: { exec: { command: ["test", "!", "-e", "/tmp/dead"] }, failureThreshold: 1, ...timing },
      readinessProbe: { exec: { command: ["test", "-e", "/tmp/ready"] }, ...timing },
    });
    await eventually("it runs", async () => (await get("probed")).status?.phase === "Running");
    assert.equal((await get("probed")).status?.containerStatuses?.[0]?.ready, false);
    await inPod("probed", "touch", "/tmp/ready");
    await untilReady("probed");
    await inPod("probed", "touch", "/tmp/dead");
    await eventually("it was restarted", async () => (await get("probed")).status?.containerStatuses?.[0]?.restartCount === 1);
    await eventuallyHolds("an event tells why", async () =>
      assert.match(
        await cluster.kubectl("get", "events", "--field-selector", "involvedObject.name=probed"),
        /Unhealthy +pod\/probed +Liveness probe failed/,
      ),
    );
  });

  it("are probed over HTTP and TCP", async () => {
    const port = 8080;
    await create("listener", {
      image: "kubia",
      command: undefined,
      startupProbe: { tcpSocket: { port }, periodSeconds: 1, failureThreshold: 30 },
      readinessProbe: { httpGet: { path: "/", port }, periodSeconds: 1 },
    });
    await untilReady("listener");
    await eventually("the probe is logged", async () => /Received request from/.test(await cluster.kubectl("logs", "listener")));
  });

  it("end in their grace, with their hook before", async () => {
    const command = ["sh", "-c", "trap 'echo asked; exit 0' TERM; echo begun; while true; do sleep 0.1; done"];
    await create(
      "ending",
      { command, lifecycle: { preStop: { exec: { command: ["sh", "-c", "echo hook > /proc/1/fd/1"] } } } },
      { terminationGracePeriodSeconds: 20 },
    );
    await untilReady("ending");
    const follower = cluster.startKubectl("logs", "-f", "ending");
    let log = "";
    follower.stdout?.on("data", (chunk: Buffer) => {
      log += chunk;
    });
    await eventually("the log is followed", async () => log === "begun\n");
    await cluster.kubectl("delete", "pod", "ending");
    await eventually("both were seen", async () => log === "begun\nhook\nasked\n");
    follower.kill();
  });

  it("say why an image or a config map keeps them from starting", async () => {
    await create("no-image", { image: "localhost:5/nowhere/nothing:1" });
    await create("no-config", { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "missing", key: "a" } } }] });
    const waiting = async (name: string) => (await get(name)).status?.containerStatuses?.[0]?.state?.waiting;
    await eventually("the pull backs off", async () => /^(ErrImagePull|ImagePullBackOff)$/.test((await waiting("no-image"))?.reason ?? ""));
    await eventually("the config map is missed", async () => (await waiting("no-config"))?.reason === "CreateContainerConfigError");
    assert.equal((await waiting("no-config"))?.message, 'configmap "missing" not found');
  });

  it("run as whom they are told, on a root that they cannot write", async () => {
    await create("confined", {
      securityContext: { runAsUser: 1234, runAsGroup: 4321, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
    });
    await untilReady("confined");
    assert.match(await inPod("confined", "id"), /uid=1234 gid=4321/);
    assert.equal((await cluster.tryKubectl(["exec", "confined", "--", "touch", "/here"])).code, 1);
    assert.match(await inPod("confined", "grep", "NoNewPrivs", "/proc/1/status"), /1/);
  });

  it("share a host's directory and its ports", async () => {
    const path = `${cluster.dataDirectory}/shared`;
    await create(
      "hosted",
      {
        image: "nginx",
        command: undefined,
        ports: [{ containerPort: 80, hostPort: 18_081 }],
        volumeMounts: [{ name: "host", mountPath: "/host" }],
      },
      { volumes: [{ name: "host", hostPath: { path, type: "DirectoryOrCreate" } }] },
    );
    await untilReady("hosted");
    await inPod("hosted", "sh", "-c", "echo from inside > /host/file");
    assert.equal(readFileSync(`${path}/file`, "utf8"), "from inside\n");
    assert.match(await eventually("the port answers", async () => (await fetch("http://10.199.0.1:18081")).text()), /Welcome to nginx/);
  });

  it("leave nothing on the node when they are deleted", async () => {
    const uid = (await get("volumes")).metadata.uid ?? "";
    await cluster.kubectl("delete", "pod", "--all");
    assert.equal(await cluster.kubectl("get", "pods"), "");
    await eventually("its directory is gone", async () => !existsSync(`${cluster.dataDirectory}/nodes/node-1/kubelet/pods/${uid}`));
    assert.doesNotMatch(readFileSync("/proc/self/mounts", "utf8"), new RegExp(uid));
  });
});
