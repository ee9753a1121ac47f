// What kubectl and other clients see of the server's front: explanations, proxies, sockets, tokens, protobuf.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { WebSocket } from "ws";
import { typeFacts } from "../../../src/api/index.ts";
import { decodeProtobuf } from "../../../src/machinery/index.ts";
import { Cluster, eventually } from "../cluster.fixture.ts";

const b64 = (text: string) => Buffer.from(text).toString("base64");

describe("the server's front", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.shared("front");
    await cluster.kubectl("create", "deployment", "kubia", "--image=kubia", "--port=8080");
    await cluster.kubectl("expose", "deployment", "kubia", "--port=80", "--target-port=8080");
    await cluster.kubectl("rollout", "status", "deployment/kubia", "--timeout=60s");
    // The container runs before its program listens.
    const path = `/api/v1/namespaces/${cluster.namespace}/services/kubia/proxy/`;
    await eventually("it answers", async () => (await cluster.tryKubectl(["get", "--raw", path])).code === 0);
  });
  after(() => cluster[Symbol.asyncDispose]());

  /** The administrator's certificate, for clients other than kubectl. */
  const credentials = () => {
    const file = (name: string) => readFileSync(`${cluster.dataDirectory}/pki/${name}`);
    return { ca: file("ca.crt"), cert: file("admin.crt"), key: file("admin.key") };
  };
  const podName = () => cluster.kubectl("get", "pods", "-l", "app=kubia", "-o", "jsonpath={.items[0].metadata.name}");

  it("explains fields in words", async () => {
    assert.match(
      await cluster.kubectl("explain", "pod.spec.containers.image"),
      /FIELD: image <string>.*DESCRIPTION:\s+Container image name/s,
    );
    assert.match(await cluster.kubectl("explain", "deployment", "--recursive"), /terminationGracePeriodSeconds/);
  });

  it("registers its own groups, and tells of its components", async () => {
    await eventually("v1.apps is available", async () => (await cluster.kubectl("get", "apiservices", "v1.apps")).includes("True"));
    assert.match(await cluster.kubectl("get", "componentstatuses"), /scheduler +Healthy +ok/);
    assert.match(await cluster.kubectl("get", "flowschemas"), /global-default +global-default +9900 +ByUser/);
  });

  it("passes requests on to services, pods and nodes", async () => {
    const root = `/api/v1/namespaces/${cluster.namespace}`;
    const name = await podName();
    for (const path of [
      `services/kubia/proxy/`,
      `services/http:kubia:80/proxy/x/`,
      `pods/${name}/proxy/`,
      `pods/${name}:8080/proxy/a?b=c`,
    ]) {
      assert.match(await cluster.kubectl("get", "--raw", `${root}/${path}`), /You've hit kubia/, path);
    }
    assert.equal(await cluster.kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/healthz"), "ok");
    const refused = await cluster.tryKubectl(["get", "--raw", `${root}/pods/${name}:9/proxy/`]);
    assert.match(refused.stderr, /error trying to reach service: dial tcp 10\.244\.\d+\.\d+:9: connect: connection refused/);
  });

  it("tells logs over a WebSocket", async () => {
    const url = `${cluster.server.replace("https", "wss")}/api/v1/namespaces/${cluster.namespace}/pods/${await podName()}/log`;
    const socket = new WebSocket(url, ["binary.k8s.io"], credentials());
    let text = "";
    socket.on("message", (data: Buffer) => {
      text += data.toString();
    });
    await once(socket, "close");
    assert.match(text, /\S/);
  });

  it("runs commands over version 5 of the WebSocket protocol, whose input can be closed", async () => {
    const query = new URLSearchParams({ stdin: "true", stdout: "true", stderr: "true" });
    for (const word of ["sh", "-c", "cat; echo done >&2; exit 3"]) query.append("command", word);
    const url = `${cluster.server.replace("https", "wss")}/api/v1/namespaces/${cluster.namespace}/pods/${await podName()}/exec?${query}`;
    const socket = new WebSocket(url, ["v5.channel.k8s.io", "v4.channel.k8s.io"], credentials());
    const channels = new Map<number, string>();
    socket.on("message", (data: Buffer) => {
      const channel = data[0] ?? -1;
      channels.set(channel, (channels.get(channel) ?? "") + data.subarray(1).toString());
    });
    await once(socket, "open");
    assert.equal(socket.protocol, "v5.channel.k8s.io");
    const words = "x".repeat(100_000);
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(words)]));
    socket.send(Buffer.from([255, 0]));
    await once(socket, "close");
    assert.equal(channels.get(1), words);
    assert.equal(channels.get(2), "done\n");
    assert.equal(JSON.parse(channels.get(3) ?? "").details.causes[0].message, "3");
  });

  it("passes a refusal of the node on to a client that wanted a WebSocket, and switches nothing", async () => {
    const url = `${cluster.server.replace("https", "wss")}/api/v1/namespaces/${cluster.namespace}/pods/${await podName()}/exec?stdout=false&stderr=false&command=true`;
    const socket = new WebSocket(url, ["v5.channel.k8s.io"], credentials());
    const [error] = await once(socket, "error");
    assert.match(String(error), /Unexpected server response: 400/);
  });

  it("runs kubectl's commands and port-forwards over WebSockets", async () => {
    const name = await podName();
    const said = await cluster.tryKubectl(["exec", name, "-v=8", "--", "hostname"]);
    assert.equal(said.stdout, `${name}\n`);
    assert.match(said.stderr, /v5\.channel\.k8s\.io/);
    assert.doesNotMatch(said.stderr, /SPDY/i);
    const forward = cluster.startKubectl("port-forward", name, "18093:8080", "-v=4");
    let log = "";
    forward.stderr?.on("data", (chunk: Buffer) => {
      log += chunk;
    });
    const answer = await eventually("the port answers", async () => (await fetch("http://127.0.0.1:18093")).text());
    assert.equal(answer, `You've hit ${name}\n`);
    assert.doesNotMatch(log, /fallback/);
    forward.kill();
    await once(forward, "close");
  });

  it("answers clients that speak protobuf", async () => {
    const path = `/api/v1/namespaces/${cluster.namespace}/pods/${await podName()}`;
    const options = { ...credentials(), headers: { accept: "application/vnd.kubernetes.protobuf" } };
    const body = await new Promise<Buffer>((resolve, reject) => {
      const outgoing = request(`${cluster.server}${path}`, options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => resolve(Buffer.concat(chunks)));
      });
      outgoing.on("error", reject);
      outgoing.end();
    });
    const pod = decodeProtobuf(body, () => typeFacts("core.v1.Pod")) as { spec: { volumes: object[]; nodeName: string } };
    assert.match(pod.spec.nodeName, /^node-/);
    assert.ok(pod.spec.volumes.some((volume) => "projected" in volume));
  });

  it("knows bootstrap tokens", async () => {
    await cluster.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "bootstrap-token-abcdef", namespace: "kube-system" },
      type: "bootstrap.kubernetes.io/token",
      data: { "token-id": b64("abcdef"), "token-secret": b64("0123456789abcdef"), "usage-bootstrap-authentication": b64("true") },
    });
    const ask = ["--kubeconfig=/dev/null", `--server=${cluster.server}`, `--certificate-authority=${cluster.dataDirectory}/pki/ca.crt`];
    const token = "--token=abcdef.0123456789abcdef";
    assert.match((await cluster.tryKubectl([...ask, token, "auth", "whoami"])).stdout, /system:bootstrap:abcdef/);
    assert.notEqual((await cluster.tryKubectl([...ask, "--token=abcdef.0123456789abcdee", "auth", "whoami"])).code, 0);
  });

  it("keeps an audit log of what the policy wants, without what is secret", async () => {
    await cluster.kubectl("create", "secret", "generic", "audited", "--from-literal=password=hunter2");
    const read = () => readFileSync(join(cluster.dataDirectory, "logs/audit.log"), "utf8");
    const log = await eventually("it is logged", async () => read().includes('"resource":"secrets"') && read());
    assert.match(log, /"verb":"create","user":\{"username":"kubernetes-admin".*"resource":"secrets"/);
    assert.ok(!log.includes("hunter2") && !log.includes('"resource":"pods"'));
  });
});
