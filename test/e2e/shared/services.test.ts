// Services between real containers on two nodes: types and their changes, protocols, host ports, load balancers.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Service } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually, run } from "../cluster.fixture.ts";

const NODES = ["10.199.0.1", "10.199.0.2"];
/** Answers UDP with its host's name, and TCP on the same port with another word. */
const ECHO = `
const udp = require("dgram").createSocket("udp4");
udp.on("message", (_, from) => udp.send("udp " + require("os").hostname(), from.port, from.address)).bind(5353);
require("net").createServer((socket) => socket.end("tcp")).listen(5353);
require("http").createServer((_, response) => response.end("ready")).listen(8080);`;
const ask = (host: string, port: number) => `
const client = require("dgram").createSocket("udp4");
client.on("message", (message) => { console.log(String(message)); process.exit(0); }).send("?", ${port}, "${host}");
setTimeout(() => process.exit(1), 2000);`;

describe("services on two nodes", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.shared("services");
    await cluster.kubectl("create", "deployment", "web", "--image=kubia", "--replicas=2");
    await cluster.apply(pod("client", { nodeName: "node-2" }));
    await cluster.apply(pod("echo", { nodeName: "node-1" }, { command: ["node", "-e", ECHO] }));
    await cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const pod = (name: string, spec: object = {}, container: object = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, ...spec, containers: [{ name: "c", image: "kubia", ...container }] },
  });
  const service = (name: string, spec: object) => cluster.apply({ apiVersion: "v1", kind: "Service", metadata: { name }, spec });
  const get = (name: string) => cluster.get<Service>("service", name);
  const fromPod = async (...command: string[]) => (await cluster.tryKubectl(["exec", "client", "--", "timeout", "5", ...command])).stdout;
  const fromHost = async (address: string) => (await run("curl", ["-sS", "--max-time", "2", `http://${address}`])).stdout;
  const soon = (what: string, ask: () => Promise<unknown>) => eventually(what, async () => Boolean(await ask()), 30_000);
  const ports = [{ port: 80, targetPort: 8080 }];

  it("are reached at a node port of every node, from pods and from the host", async () => {
    await service("np", { type: "NodePort", selector: { app: "web" }, ports });
    const nodePort = (await get("np")).spec?.ports?.[0]?.nodePort;
    for (const node of NODES) {
      await soon(`the host reaches ${node}`, async () => /You've hit/.test(await fromHost(`${node}:${nodePort}`)));
      await soon(`a pod reaches ${node}`, async () => /You've hit/.test(await fromPod("wget", "-qO-", `http://${node}:${nodePort}`)));
    }
  });

  it("lead a pod through another node back to its own", async () => {
    await service("back", { type: "NodePort", selector: { app: "client" }, ports });
    const nodePort = (await get("back")).spec?.ports?.[0]?.nodePort;
    await soon("it is answered", async () => /You've hit client/.test(await fromPod("wget", "-qO-", `http://${NODES[0]}:${nodePort}`)));
  });

  it("change their type from and to ExternalName", async () => {
    const lookup = async () =>
      (await cluster.tryKubectl(["exec", "client", "--", "nslookup", `changing.${cluster.namespace}.svc.cluster.local`])).stdout;
    await service("changing", { type: "ExternalName", externalName: `np.${cluster.namespace}.svc.cluster.local` });
    const np = (await get("np")).spec?.clusterIP ?? "";
    await soon("it is an alias", async () => (await lookup()).includes(np));
    const change = (spec: object) => cluster.kubectl("patch", "service", "changing", "--type=merge", "-p", JSON.stringify({ spec }));
    await change({ type: "ClusterIP", externalName: null, selector: { app: "web" }, ports });
    await soon("it leads to pods", async () => /You've hit/.test(await fromPod("wget", "-qO-", "http://changing")));
    await change({ type: "NodePort" });
    const nodePort = (await get("changing")).spec?.ports?.[0]?.nodePort;
    await soon("it has a node port", async () => /You've hit/.test(await fromHost(`${NODES[0]}:${nodePort}`)));
    await change({ type: "ExternalName", externalName: `np.${cluster.namespace}.svc.cluster.local`, clusterIP: null, clusterIPs: null });
    await soon("it is an alias again", async () => (await lookup()).includes(np));
    await soon("its node port is gone", async () => (await fromHost(`${NODES[0]}:${nodePort}`)) === "");
  });

  it("serve the same port by two protocols", async () => {
    const both = ["TCP", "UDP"].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, targetPort: 5353, protocol }));
    await service("echo", { selector: { app: "echo" }, ports: both });
    await soon("UDP is answered", async () => /^udp echo/.test(await fromPod("node", "-e", ask("echo", 53))));
    const connect = 'require("net").connect(53, "echo").on("data", (data) => console.log(String(data)))';
    await soon("TCP is answered", async () => (await fromPod("node", "-e", connect)).trim() === "tcp");
  });

  it("switch session affinity on and off", async () => {
    const hosts = async () => {
      const script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -qO- http://np; echo; done";
      return new Set((await cluster.kubectl("exec", "client", "--", "sh", "-c", script)).trim().split(/\n+/)).size;
    };
    const affinity = (sessionAffinity: string) =>
      cluster.kubectl("patch", "service", "np", "-p", JSON.stringify({ spec: { sessionAffinity } }));
    await affinity("ClientIP");
    await soon("one pod answers", async () => (await hosts()) === 1);
    await affinity("None");
    await soon("all pods answer", async () => (await hosts()) === 2);
  });

  it("lead to what slices of someone else's name, port by port", async () => {
    await service("manual", {
      ports: [
        { name: "echo", port: 80 },
        { name: "web", port: 81 },
      ],
    });
    const slice = async (name: string, app: string) => {
      const ips = await cluster.kubectl("get", "pods", "-l", `app=${app}`, "-o", "jsonpath={.items[*].status.podIP}");
      await cluster.apply({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: `manual-${name}`, labels: { "kubernetes.io/service-name": "manual" } },
        addressType: "IPv4",
        endpoints: ips.split(" ").map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
        ports: [{ name, port: 8080, protocol: "TCP" }],
      });
    };
    await slice("echo", "echo");
    await slice("web", "web");
    await soon("one port answers", async () => (await fromPod("wget", "-qO-", "http://manual")) === "ready");
    const answers = new Set<string>();
    await soon("both pods of the other answer", async () => answers.add(await fromPod("wget", "-qO-", "http://manual:81")).size === 2);
    assert.ok([...answers].every((answer) => answer.startsWith("You've hit web-")));
  });

  it("of type LoadBalancer have an address of the pool that leads to them and to nothing else", async () => {
    await service("lb", { type: "LoadBalancer", selector: { app: "web" }, ports, allocateLoadBalancerNodePorts: false });
    const ip = await eventually("it has an address", async () => (await get("lb")).status?.loadBalancer?.ingress?.[0]?.ip);
    assert.equal((await get("lb")).spec?.ports?.[0]?.nodePort, undefined);
    await soon("the host reaches it", async () => /You've hit/.test(await fromHost(ip)));
    await soon("a pod reaches it", async () => /You've hit/.test(await fromPod("wget", "-qO-", `http://${ip}`)));
    const other = await run("curl", ["-sS", "--max-time", "2", `http://${ip}:22`]);
    assert.equal(other.code, 7, other.stderr);
    await cluster.kubectl("delete", "service", "lb", "--timeout=10s");
    await soon("nobody answers", async () => (await fromHost(ip)) === "");
  });

  it("fail at once towards a pod that is not there", async () => {
    for (const address of ["10.244.1.250", "10.244.2.250"]) {
      const startedAt = performance.now();
      const { code, stderr } = await cluster.tryKubectl(["exec", "client", "--", "wget", "-qO-", `http://${address}`]);
      assert.ok(code !== 0 && performance.now() - startedAt < 10_000, stderr);
      assert.match(stderr, /unreachable|No route/);
    }
  });

  it("and pods keep to the bandwidth that their annotations name", async () => {
    const slow = pod("slow", { nodeName: "node-1" });
    const annotations = { "kubernetes.io/ingress-bandwidth": "8M", "kubernetes.io/egress-bandwidth": "8M" };
    await cluster.apply({ ...slow, metadata: { ...slow.metadata, annotations } });
    await cluster.kubectl("wait", "--for=condition=Ready", "pod", "slow", "--timeout=30s");
    assert.match((await run("tc", ["qdisc"])).stdout, /qdisc tbf .* rate 8Mbit/);
  });

  it("and host ports of one number go together when their addresses or protocols differ", async () => {
    const holder = (name: string, hostIP: string, protocol: string) =>
      cluster.apply(
        pod(
          name,
          { nodeName: "node-2" },
          {
            ports: [{ containerPort: protocol === "UDP" ? 5353 : 8080, hostPort: 54_323, hostIP, protocol }],
            command: ["node", "-e", ECHO],
          },
        ),
      );
    await holder("one", "127.0.0.1", "TCP");
    await holder("two", NODES[1] ?? "", "TCP");
    await holder("three", NODES[1] ?? "", "UDP");
    await cluster.kubectl("wait", "--for=condition=Ready", "pod", "one", "two", "three", "--timeout=30s");
    await soon("TCP is answered", async () => (await fromHost(`${NODES[1]}:54323`)) === "ready");
    await soon("UDP is answered", async () => /^udp three/.test(await fromPod("node", "-e", ask(NODES[1] ?? "", 54_323))));
  });
});
