// The service proxy with the real kernel: the rules of one node in a network namespace of its own, and a client beyond it.
// The file runs itself again in that namespace; needs root, nft and conntrack, and no cluster: it runs beside those that do.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { silentLogger } from "../../../src/base/index.ts";
import { udpFlows } from "../../../src/cmd/agent/kernel.ts";
import { Nft } from "../../../src/cmd/agent/nft.ts";
import { SystemClock } from "../../../src/cmd/system/clock.ts";
import { IPV4, IPV6, ServiceProxy } from "../../../src/network/index.ts";
import { MemoryInformers } from "../../../src/network/testing.ts";

const MARK = "K8TS_OWN_NETWORK";
const NODE = "192.0.2.1";
const CLIENT = "192.0.2.2";
/** Longer than a busy machine takes from one connection to the next. */
const AFFINITY_SECONDS = 3;
const PODS = ["10.244.0.11", "10.244.0.12", "fd00:244::11", "fd00:244::12"];

if (process.env[MARK] === undefined) {
  it("the service proxy in a network namespace of its own", async () => {
    const command = ["--net", process.execPath, "--disable-warning=ExperimentalWarning", "--test", fileURLToPath(import.meta.url)];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    await promisify(execFile)("unshare", command, { env: { ...env, [MARK]: "1" } }).catch((error: { stdout?: string }) => {
      throw new Error(error.stdout ?? String(error));
    });
  });
} else {
  describe("the service proxy", services);
}

/** A process in a network namespace of its own. */
async function elsewhere(): Promise<ChildProcess> {
  const child = spawn("unshare", ["--net", "sleep", "600"]);
  const namespace = (pid: number | "self" = "self") => readlinkSync(`/proc/${pid}/ns/net`);
  while (namespace(child.pid) === namespace()) await sleep(10);
  return child;
}

function services(): void {
  const informers = new MemoryInformers();
  const clock = new SystemClock();
  const nft = new Nft(clock);
  const stop = new AbortController();
  /** How many scripts nft has run. */
  let programmed = 0;
  let beyond: ChildProcess;
  let running = Promise.resolve();

  const ip = (line: string) => execFileSync("ip", line.split(" "));
  const outside = (command: readonly string[]) => promisify(execFile)("nsenter", [`--net=/proc/${beyond.pid}/ns/net`, "--", ...command]);
  const curl = ["curl", "-gsS", "--max-time", "2"];
  /** Who answers, and with which address it saw the client. */
  const ask = async (url: string) => (await promisify(execFile)("curl", [...curl.slice(1), url])).stdout;
  const askFromOutside = async (url: string) => (await outside([...curl, url])).stdout;
  const troubleOf = (asked: Promise<string>) =>
    asked.then(
      () => "",
      (error: { stderr?: string }) => error.stderr ?? "",
    );

  before(async () => {
    beyond = await elsewhere();
    ip("link set lo up");
    ip(`link add out type veth peer name eth0 netns ${beyond.pid}`);
    for (const [address, link] of [
      [`${NODE}/24`, "out"],
      ["fd00:2::1/64", "out"],
    ])
      ip(`address add ${address} dev ${link} ${address?.includes(":") ? "nodad" : ""}`.trim());
    ip("link set out up");
    for (const address of PODS) ip(`address add ${address} dev lo`);
    ip("route add 10.96.0.0/16 dev lo");
    ip("-6 route add fd00:96::/64 dev lo");
    await outside([
      "sh",
      "-c",
      `ip address add ${CLIENT}/24 dev eth0; ip address add fd00:2::2/64 dev eth0 nodad; ip link set eth0 up; ip route add default via ${NODE}; ip -6 route add default via fd00:2::1`,
    ]);
    for (const path of ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]) execFileSync("sh", ["-c", `echo 1 > /proc/sys/net/${path}`]);
    for (const address of PODS) {
      const server = createServer((request, response) => response.end(`${address} ${request.socket.remoteAddress}`));
      server.listen(8080, address);
      await once(server, "listening");
    }
    const table = { table: "k8ts" };
    const proxy = new ServiceProxy({
      informers,
      nodeName: "node-1",
      tables: [
        { ...table, family: IPV4, clusterCidr: "10.244.0.0/16", localCidr: "10.244.0.0/24", nodePortNetworks: ["192.0.2.0/24"] },
        { ...table, family: IPV6, clusterCidr: "fd00:244::/48", localCidr: "fd00:244::/64" },
      ],
      runNft: async (script, signal) => {
        await nft.run(script, signal);
        programmed++;
      },
      udpFlows,
      healthChecks: { set: () => {} },
      clock,
      logger: { ...silentLogger, error: (message, fields) => console.error(message, fields) },
    });
    running = proxy.run(stop.signal);
  });
  after(async () => {
    stop.abort();
    await running;
    nft.close();
    beyond.kill();
    process.exitCode ??= 0;
    setTimeout(() => process.exit(), 100);
  });

  /** Puts a Service and its endpoints where the proxy sees them, and waits until they are programmed. */
  async function serve(
    name: string,
    spec: object,
    endpoints: Readonly<Record<string, string>>,
    options: { port?: number; status?: object } = {},
  ): Promise<void> {
    const { port = 8080, status = {} } = options;
    const before = programmed;
    const ports = [{ name: "p", port: 80, protocol: "TCP" }];
    informers.set("services", { metadata: { namespace: "default", name }, spec: { type: "ClusterIP", ports, ...spec }, status } as never);
    for (const addressType of ["IPv4", "IPv6"]) {
      const own = Object.entries(endpoints).filter(([address]) => address.includes(":") === (addressType === "IPv6"));
      informers.set("endpointslices", {
        metadata: { namespace: "default", name: `${name}-${addressType}`, labels: { "kubernetes.io/service-name": name } },
        addressType,
        ports: [{ name: "p", port }],
        endpoints: own.map(([address, nodeName]) => ({ addresses: [address], nodeName, conditions: { ready: true } })),
      } as never);
    }
    for (let round = 0; round < 400 && programmed === before; round++) await sleep(50);
    await sleep(200);
  }
  const both = { "10.244.0.11": "node-1", "10.244.0.12": "node-1" };
  const repeat = async (times: number, work: () => Promise<string>) => {
    const answers: string[] = [];
    while (answers.length < times) answers.push((await work()).split(" ")[0] ?? "");
    return answers;
  };

  it("spreads connections over the endpoints, and leaves out one that has gone", async () => {
    await serve("web", { clusterIP: "10.96.0.20" }, both);
    assert.deepEqual(new Set(await repeat(20, () => ask("http://10.96.0.20"))), new Set(["10.244.0.11", "10.244.0.12"]));
    await serve("web", { clusterIP: "10.96.0.20" }, { "10.244.0.12": "node-1" });
    assert.deepEqual(new Set(await repeat(10, () => ask("http://10.96.0.20"))), new Set(["10.244.0.12"]));
  });

  it("refuses at once when there are no endpoints", async () => {
    await serve("none", { clusterIP: "10.96.0.21", type: "NodePort", ports: [{ name: "p", port: 80, nodePort: 30_021 }] }, {});
    assert.match(await troubleOf(ask("http://10.96.0.21")), /Couldn't connect/);
    assert.match(await troubleOf(askFromOutside(`http://${NODE}:30021`)), /Couldn't connect/);
  });

  it("opens node ports, for both families, and keeps the client's address when the endpoint is on the node", async () => {
    const ports = [{ name: "p", port: 80, nodePort: 30_022 }];
    await serve(
      "np",
      { clusterIP: "10.96.0.22", clusterIPs: ["10.96.0.22", "fd00:96::22"], type: "NodePort", ports },
      { ...both, "fd00:244::11": "node-1" },
    );
    assert.match(await askFromOutside(`http://${NODE}:30022`), new RegExp(` ${CLIENT}$`));
    assert.equal(await askFromOutside("http://[fd00:2::1]:30022"), "fd00:244::11 fd00:2::2");
    assert.match(await ask("http://[fd00:96::22]"), /^fd00:244::11 /);
    assert.match(await troubleOf(ask("http://10.244.0.12:30022")), /Couldn't connect/, "an address that is not asked for");
  });

  for (const [family, address, pods] of [
    ["IPv4", "10.96.0.23", both],
    ["IPv6", "[fd00:96::23]", { "fd00:244::11": "node-1", "fd00:244::12": "node-1" }],
  ] as const) {
    it(`keeps a client with its endpoint, until that one has gone, and then with another: ${family}`, async () => {
      const spec = {
        clusterIP: address.replace(/[[\]]/g, ""),
        sessionAffinity: "ClientIP",
        sessionAffinityConfig: { clientIP: { timeoutSeconds: AFFINITY_SECONDS } },
      };
      await serve("sticky", spec, pods);
      const first = await repeat(20, () => ask(`http://${address}`));
      assert.equal(new Set(first).size, 1);
      const left = Object.keys(pods).filter((pod) => pod !== first[0]);
      await serve("sticky", spec, Object.fromEntries(left.map((pod) => [pod, "node-1"])));
      assert.deepEqual(new Set(await repeat(5, () => ask(`http://${address}`))), new Set(left));
      await serve("sticky", spec, pods);
      assert.deepEqual(new Set(await repeat(20, () => ask(`http://${address}`))), new Set(left));
      const seen = new Set<string>();
      for (let round = 0; round < 20 && seen.size < 2; round++) {
        for (const answer of await repeat(1, () => ask(`http://${address}`))) seen.add(answer);
        await sleep(AFFINITY_SECONDS * 1_000 + 300);
      }
      assert.equal(seen.size, 2, "after the timeout any endpoint is drawn");
    });
  }

  it("keeps external traffic on the node with externalTrafficPolicy Local, and drops it where the node has no endpoint", async () => {
    const ports = [{ name: "p", port: 80, nodePort: 30_024 }];
    const spec = { clusterIP: "10.96.0.24", type: "NodePort", externalTrafficPolicy: "Local", ports };
    await serve("local", spec, { "10.244.0.11": "node-1", "10.244.0.12": "node-2" });
    assert.deepEqual(new Set(await repeat(10, () => askFromOutside(`http://${NODE}:30024`))), new Set(["10.244.0.11"]));
    assert.equal(new Set(await repeat(20, () => ask(`http://${NODE}:30024`))).size, 2);
    await serve("local", spec, { "10.244.0.12": "node-2" });
    assert.match(await troubleOf(askFromOutside(`http://${NODE}:30024`)), /timed out/);
    assert.match(await ask(`http://${NODE}:30024`), /^10\.244\.0\.12 /);
  });

  it("keeps the address of a load balancer's client with externalTrafficPolicy Local", async () => {
    const spec = { clusterIP: "10.96.0.27", type: "LoadBalancer", externalTrafficPolicy: "Local" };
    const status = { loadBalancer: { ingress: [{ ip: "198.51.100.6", ipMode: "VIP" }] } };
    await serve("kept", spec, { "10.244.0.11": "node-1", "10.244.0.12": "node-2" }, { status });
    for (let round = 0; round < 10; round++) assert.equal(await askFromOutside("http://198.51.100.6"), `10.244.0.11 ${CLIENT}`);
    await serve("kept", spec, { "10.244.0.12": "node-2" }, { status });
    assert.notEqual(await troubleOf(askFromOutside("http://198.51.100.6")), "", "where the node has no endpoint");
  });

  it("lets only its source ranges reach a load balancer's address", async () => {
    const balancer = (loadBalancerSourceRanges: string[]) =>
      serve("lb", { clusterIP: "10.96.0.25", type: "LoadBalancer", loadBalancerSourceRanges }, both, {
        status: { loadBalancer: { ingress: [{ ip: "198.51.100.5", ipMode: "VIP" }] } },
      });
    await balancer(["203.0.113.0/24"]);
    assert.match(await troubleOf(askFromOutside("http://198.51.100.5")), /timed out/);
    await balancer(["203.0.113.0/24", "192.0.2.0/30", "192.0.2.2/32"]);
    assert.match(await askFromOutside("http://198.51.100.5"), /^10\.244/);
  });

  it("ends UDP flows to an endpoint that has gone", async () => {
    const servers = PODS.slice(0, 2).map((address) => {
      const socket = createSocket("udp4");
      socket.on("message", (_, from) => socket.send(address, from.port, from.address));
      socket.bind(5353, address);
      return socket;
    });
    const udp = { clusterIP: "10.96.0.26", ports: [{ name: "p", port: 53, protocol: "UDP" }] };
    await serve("udp", udp, { "10.244.0.11": "node-1" }, { port: 5353 });
    const client = createSocket("udp4");
    client.bind(40_000);
    await once(client, "listening");
    const askUdp = async () => {
      client.send("?", 53, "10.96.0.26");
      const [message] = (await once(client, "message", { signal: AbortSignal.timeout(2_000) })) as [Buffer];
      return message.toString();
    };
    assert.equal(await askUdp(), "10.244.0.11");
    await serve("udp", udp, { "10.244.0.12": "node-1" }, { port: 5353 });
    let answer = "";
    for (let round = 0; round < 10 && answer !== "10.244.0.12"; round++) {
      answer = await askUdp().catch(() => "");
      await sleep(200);
    }
    assert.equal(answer, "10.244.0.12");
    for (const socket of [client, ...servers]) socket.close();
  });

  it("drops what a pod sends under another's address", async () => {
    const pod = await elsewhere();
    ip(`link add veth9 type veth peer name eth0 netns ${pod.pid}`);
    ip("link set veth9 up");
    ip("route add 10.244.0.50 dev veth9 src 10.244.0.11");
    const inPod = (...command: string[]) => promisify(execFile)("nsenter", [`--net=/proc/${pod.pid}/ns/net`, "--", ...command]);
    await inPod("sh", "-c", "ip address add 10.244.0.50/24 dev eth0; ip address add 10.244.0.51/32 dev eth0; ip link set eth0 up");
    const from = (address: string) => inPod(...curl, "--interface", address, "http://10.244.0.11:8080").then(({ stdout }) => stdout);
    assert.equal(await from("10.244.0.50"), "10.244.0.11 10.244.0.50");
    assert.match(await troubleOf(from("10.244.0.51")), /timed out/);
    pod.kill();
  });

  it("goes on after a script that nft refuses", async () => {
    await assert.rejects(nft.run("add element ip k8ts nothing { 1.2.3.4 }\n"), /No such file|Error/);
    await nft.run("add table ip k8ts_test\ndelete table ip k8ts_test\n");
  });
}
