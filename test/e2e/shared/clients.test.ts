// Clients that others have written against other Kubernetes: a kubectl of 2021, Python's client, and JavaScript's.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import {
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  PortForward,
  type V1Status,
} from "@kubernetes/client-node";
import { fileOfPackage } from "../../images/debian-package.ts";
import { Cluster, eventually, run } from "../cluster.fixture.ts";

const PYTHON = "/usr/bin/python3";
const PACKAGES = resolve(import.meta.dirname, "../../../.cache/packages");

describe("clients of others", () => {
  let cluster: Cluster;
  let pod: string;
  before(async () => {
    cluster = await Cluster.shared("clients");
    await cluster.kubectl("create", "deployment", "web", "--image=kubia", "--port=8080");
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    pod = await cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}");
  });
  after(() => cluster[Symbol.asyncDispose]());

  describe("kubectl 1.20", () => {
    let kubectl: string;
    before(() => {
      kubectl = fileOfPackage("kubernetes-client", "usr/bin/kubectl", join(PACKAGES, "kubernetes-client"));
    });
    const call = (args: readonly string[], input = "") => run(kubectl, args, { env: { KUBECONFIG: cluster.kubeconfig }, input });
    const old = async (...args: string[]) => {
      const { code, stdout, stderr } = await call(args);
      assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}`);
      return stdout;
    };

    it("shows, describes and explains", async () => {
      assert.match(await old("get", "pods", "-o", "wide"), new RegExp(`${pod} +1/1 +Running +0 +\\S+ +10\\.244\\.`));
      await eventually("events are shown", async () => /Status: +Running.*Normal +Started /s.test(await old("describe", "pod", pod)));
      assert.match(await old("explain", "deployment.spec.strategy.rollingUpdate"), /maxSurge\s+<string>/);
      assert.match(await old("get", "services", "-A"), /default +kubernetes/);
    });

    it("applies and rolls back", async () => {
      const map = (value: string) => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "old" }, data: { a: value } });
      assert.match((await call(["apply", "-f", "-"], map("1"))).stdout, /configmap\/old created/);
      assert.match((await call(["diff", "-f", "-"], map("2"))).stdout, /- {2}a: "1"\n\+ {2}a: "2"/);
      assert.match((await call(["apply", "-f", "-"], map("2"))).stdout, /configmap\/old configured/);
      assert.match((await call(["apply", "--server-side", "--force-conflicts", "-f", "-"], map("3"))).stdout, /serverside-applied/);
      assert.equal(await old("get", "configmap", "old", "-o", "jsonpath={.data.a}"), "3");
      await old("create", "deployment", "rolled", "--image=busybox", "--replicas=0");
      await old("set", "image", "deployment/rolled", "busybox=nginx");
      await old("rollout", "status", "deployment/rolled", "--timeout=30s");
      await old("rollout", "undo", "deployment/rolled");
      assert.match(await old("rollout", "history", "deployment/rolled"), /2 +<none>\n3 +<none>/);
      await old("delete", "deployment/rolled", "configmap/old");
    });

    it("speaks SPDY: runs commands, forwards ports, shows logs", async () => {
      assert.match(await old("logs", pod), /^Kubia server starting/);
      const piped = await call(["exec", "-i", pod, "--", "sh", "-c", "wc -c; exit 7"], "x".repeat(100_000));
      assert.deepEqual([piped.stdout.trim(), piped.code], ["100000", 7]);
      const forward = spawn(kubectl, ["port-forward", pod, "18091:8080"], { env: { ...process.env, KUBECONFIG: cluster.kubeconfig } });
      const answer = await eventually("the forwarded port answers", async () => (await fetch("http://127.0.0.1:18091")).text(), 20_000);
      assert.equal(answer, `You've hit ${pod}\n`);
      forward.kill();
      await once(forward, "close");
    });
  });

  it("Python's client watches, patches, runs commands, finds custom resources, and leads", async () => {
    const version = {
      name: "v1",
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
    };
    await cluster.apply({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "tabs.python.example.com" },
      spec: { group: "python.example.com", scope: "Namespaced", names: { plural: "tabs", kind: "Tab" }, versions: [version] },
    });
    await cluster.kubectl("wait", "--for=condition=Established", "crd/tabs.python.example.com", "--timeout=10s");
    const script = join(import.meta.dirname, "python-client.py");
    const env = { KUBECONFIG: cluster.kubeconfig, HOME: cluster.dataDirectory };
    const { code, stdout, stderr } = await run(PYTHON, [script, cluster.namespace, pod], { env });
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      events: [
        ["ADDED", "1"],
        ["MODIFIED", "2"],
        ["MODIFIED", "3"],
        ["DELETED", "3"],
      ],
      exec: { both: ["err", "out"], answer: "spoken to", code: 3 },
      custom: { deployments: ["web"], n: 2 },
      leader: "candidate",
      missing: [404, "NotFound"],
      log: "Kubia server starting...",
      version: "36",
    });
  });

  describe("@kubernetes/client-node", () => {
    const config = new KubeConfig();
    before(() => config.loadFromFile(cluster.kubeconfig));

    it("applies, and its informer tells of it", async () => {
      const api = config.makeApiClient(CoreV1Api);
      const objects = KubernetesObjectApi.makeApiClient(config);
      const { namespace } = cluster;
      const labelSelector = "by=javascript";
      const list = () => api.listNamespacedConfigMap({ namespace, labelSelector });
      const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list, labelSelector);
      const seen: string[] = [];
      informer.on("add", (map) => seen.push(`add ${map.data?.["n"]}`));
      informer.on("update", (map) => seen.push(`update ${map.data?.["n"]}`));
      informer.on("delete", (map) => seen.push(`delete ${map.data?.["n"]}`));
      const apply = (n: string) =>
        objects.patch(
          {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "applied", namespace, labels: { by: "javascript" } },
            data: { n },
          } as object,
          undefined,
          undefined,
          "client-node",
          true,
          PatchStrategy.ServerSideApply,
        );
      await informer.start();
      await apply("1");
      await eventually("the creation is seen", async () => seen.includes("add 1"));
      await apply("2");
      await eventually("the change is seen", async () => seen.includes("update 2"));
      await api.deleteNamespacedConfigMap({ namespace, name: "applied" });
      await eventually("the deletion is seen", async () => seen.includes("delete 2"));
      assert.deepEqual(seen, ["add 1", "update 2", "delete 2"]);
      await informer.stop();
    });

    it("runs commands", async () => {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const output = Promise.all([text(stdout), text(stderr)]);
      const stdin = new PassThrough();
      stdin.write("in\n");
      const script = ["sh", "-c", "read line; echo $line; echo err >&2; exit 5"];
      const status = await new Promise<V1Status>((resolve, reject) => {
        new Exec(config).exec(cluster.namespace, pod, "kubia", script, stdout, stderr, stdin, false, resolve).catch(reject);
      });
      for (const stream of [stdout, stderr]) stream.end();
      assert.deepEqual([...(await output), status.details?.causes?.[0]?.message], ["in\n", "err\n", "5"]);
    });

    it("forwards ports", async () => {
      const forward = new PortForward(config);
      const server = createServer(async (socket) => {
        const upstream = await forward.portForward(cluster.namespace, pod, [8080], socket, null, socket);
        socket.on("close", () => "close" in upstream && upstream.close());
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" ? (address?.port ?? 0) : 0;
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text(), `You've hit ${pod}\n`);
      server.close();
    });
  });
});
