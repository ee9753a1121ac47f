// Runs in a network namespace of its own, as a node: network policies over two pods in namespaces beyond it, of which one connects to
// the other. Prints the rounds as JSON; bench/areas/network.ts starts it. `policy-worker.ts <policies> <own|others>`: who they select.
// It starts itself again in the pods' namespaces: `policy-worker.ts serve`, `policy-worker.ts connect <address>`.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../src/base/index.ts";
import { Nft } from "../src/cmd/agent/nft.ts";
import { SystemClock } from "../src/cmd/system/clock.ts";
import { IPV4, NetworkPolicies } from "../src/network/index.ts";
import { MemoryInformers } from "../src/network/testing.ts";
import { type Round, timeRound } from "./measure.ts";

const CONNECTIONS = 2_000;
const PORT = 8080;
const SERVER = "10.244.0.11";
const CLIENT = "10.244.0.12";
const [role = "0", argument = "others"] = process.argv.slice(2);

/** Programs the policies; answers how long that took. The last of them alone allows what the client does. */
async function program(count: number, app: string): Promise<Round> {
  const informers = new MemoryInformers();
  const pod = (name: string, podIP: string) => {
    const metadata = { namespace: "default", name, labels: { app: name } };
    informers.set("pods", {
      metadata,
      spec: { nodeName: "node-1" },
      status: { phase: "Running", podIP, podIPs: [{ ip: podIP }] },
    } as never);
  };
  informers.set("namespaces", { metadata: { name: "default", labels: {} } });
  pod("server", SERVER);
  pod("client", CLIENT);
  pod("other", "10.244.0.13");
  for (let index = 0; index < count; index++) {
    const from = [{ podSelector: { matchLabels: { app: index === count - 1 ? "client" : `nobody-${index}` } } }];
    const spec = { podSelector: { matchLabels: { app } }, policyTypes: ["Ingress"], ingress: [{ from, ports: [{ port: PORT }] }] };
    informers.set("networkpolicies", { metadata: { namespace: "default", name: `policy-${index}` }, spec } as never);
  }
  const clock = new SystemClock();
  const nft = new Nft(clock);
  const written = Promise.withResolvers<void>();
  const runNft = async (script: string, signal?: AbortSignal) => {
    await nft.run(script, signal);
    written.resolve();
  };
  const policies = new NetworkPolicies({
    informers,
    nodeName: "node-1",
    families: [IPV4],
    table: "k8ts_policy",
    runNft,
    clock,
    logger: silentLogger,
  });
  const work = async () => {
    void policies.run(new AbortController().signal);
    await written.promise;
    return { operations: Math.max(1, count), latenciesMs: [] };
  };
  return timeRound({ serverPid: process.pid, work });
}

/** A process in a namespace that a link of that name leads to. */
async function podBehind(link: string, address: string): Promise<ChildProcess> {
  const pod = spawn("unshare", ["--net", "sleep", "600"]);
  const namespaceOf = (pid: number | undefined | "self") => readlinkSync(`/proc/${pid}/ns/net`);
  while (namespaceOf(pod.pid) === namespaceOf("self")) await sleep(5);
  const ip = (line: string) => execFileSync("ip", line.split(" "));
  ip(`link add ${link} type veth peer name eth0 netns ${pod.pid}`);
  ip(`address add 10.244.0.1/32 dev ${link}`);
  ip(`link set ${link} up`);
  const lines = [`address add ${address}/32 dev eth0`, "link set eth0 up", "link set lo up", "route add 10.244.0.1 dev eth0"];
  for (const line of [...lines, "route add default via 10.244.0.1"]) execFileSync("nsenter", inPod(pod, "ip", ...line.split(" ")));
  ip(`route add ${address}/32 dev ${link}`);
  return pod;
}

function inPod({ pid }: ChildProcess, ...command: readonly string[]): string[] {
  return [`--net=/proc/${pid}/ns/net`, "--", ...command];
}

function again(...words: readonly string[]): string[] {
  return [process.execPath, "--disable-warning=ExperimentalWarning", fileURLToPath(import.meta.url), ...words];
}

async function measure(): Promise<{ readonly cold: Round; readonly connected: Round }> {
  execFileSync("sh", ["-c", "ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  const [server, client] = [await podBehind("to-server", SERVER), await podBehind("to-client", CLIENT)];
  const cold = await program(Number(role), argument === "own" ? "server" : "other");
  const serving = spawn("nsenter", inPod(server, ...again("serve")), { stdio: ["ignore", "pipe", "inherit"] });
  await once(serving.stdout, "data");
  const connected = JSON.parse(execFileSync("nsenter", inPod(client, ...again("connect", SERVER)), { encoding: "utf8" })) as Round;
  for (const child of [serving, server, client]) child.kill();
  return { cold, connected };
}

/** One connection after the other, each until it is set up. */
async function connections(address: string): Promise<{ readonly operations: number; readonly latenciesMs: readonly number[] }> {
  const latenciesMs: number[] = [];
  while (latenciesMs.length < CONNECTIONS) {
    const startedAt = performance.now();
    const socket = connect(PORT, address);
    await once(socket, "connect");
    latenciesMs.push(performance.now() - startedAt);
    socket.resetAndDestroy();
  }
  return { operations: CONNECTIONS, latenciesMs };
}

if (role === "serve") {
  createServer((socket) => socket.on("error", () => socket.destroy())).listen(PORT, SERVER, () => console.log("listening"));
} else if (role === "connect") {
  console.log(JSON.stringify(await timeRound({ serverPid: undefined, work: () => connections(argument) })));
} else {
  console.log(JSON.stringify(await measure()));
  process.exit(0);
}
