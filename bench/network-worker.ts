// Runs in a network namespace of its own: the service proxy over many Services, its changes seen by real TCP connections.
// Prints the rounds as JSON; bench/areas/network.ts starts it.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { silentLogger } from "../src/base/index.ts";
import { Nft } from "../src/cmd/agent/nft.ts";
import { SystemClock } from "../src/cmd/system/clock.ts";
import { IPV4, ServiceProxy } from "../src/network/index.ts";
import { MemoryInformers } from "../src/network/testing.ts";
import { type Round, timeRound } from "./measure.ts";

const SERVICES = Number(process.argv[2]);
const ENDPOINTS = 2;
const CHANGES = 200;
/** The endpoints that answer; each says which it is. */
const PORTS = [8001, 8002] as const;
const POD = "10.244.0.1";
const PROBED = "web-7";

const informers = new MemoryInformers();
const byteOf = (value: number, shift: number) => (value >> shift) & 255;
const clusterIp = (index: number) => `10.96.${byteOf(index, 8)}.${byteOf(index, 0)}`;

function setService(index: number): void {
  const metadata = { namespace: "default", name: `web-${index}`, uid: `${index}` };
  const spec = { clusterIP: clusterIp(index + 20), ports: [{ name: "http", port: 80, protocol: "TCP" }] };
  informers.set("services", { metadata, spec } as never);
}

function setSlice(index: number, addresses: readonly string[], port: number): void {
  const metadata = { namespace: "default", name: `web-${index}-x`, labels: { "kubernetes.io/service-name": `web-${index}` } };
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }));
  informers.set("endpointslices", { metadata, addressType: "IPv4", ports: [{ name: "http", port }], endpoints } as never);
}

/** What the endpoint says that the connection reached. */
function ask(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(80, address);
    socket.once("error", reject);
    socket.once("data", (data) => {
      resolve(data.toString());
      socket.destroy();
    });
  });
}

async function prepare(): Promise<void> {
  for (const command of ["link set lo up", `address add ${POD}/32 dev lo`, "route add 10.96.0.0/12 dev lo"])
    execFileSync("ip", command.split(" "));
  for (const port of PORTS) {
    const server = createServer((socket) => socket.on("error", () => socket.destroy()).end(`${port}`));
    server.listen(port, POD);
    await once(server, "listening");
  }
  for (let index = 0; index < SERVICES; index++) {
    setService(index);
    const address = (position: number) => `10.244.${byteOf(index * ENDPOINTS + position, 8)}.${byteOf(index * ENDPOINTS + position, 0)}`;
    setSlice(
      index,
      Array.from({ length: ENDPOINTS }, (_, position) => address(position)),
      8080,
    );
  }
  setSlice(7, [POD], PORTS[0]);
}

async function measure(): Promise<{ readonly cold: Round; readonly change: Round }> {
  await prepare();
  const written = Promise.withResolvers<void>();
  const clock = new SystemClock();
  const nft = new Nft(clock);
  const runNft = async (script: string, signal?: AbortSignal) => {
    await nft.run(script, signal);
    written.resolve();
  };
  const table = { table: "k8ts", family: IPV4, clusterCidr: "10.244.0.0/16", localCidr: "10.244.0.0/24" };
  const proxy = new ServiceProxy({
    informers,
    nodeName: "node-1",
    tables: [table],
    runNft,
    udpFlows: { list: () => Promise.resolve([]), remove: () => Promise.resolve() },
    healthChecks: { set: () => {} },
    clock,
    logger: silentLogger,
  });
  const stop = new AbortController();
  const usage = { serverPid: process.pid };
  let running = Promise.resolve();
  const cold = await timeRound({
    ...usage,
    work: async () => {
      running = proxy.run(stop.signal);
      await written.promise;
      return { operations: SERVICES, latenciesMs: [] };
    },
  });
  const change = await timeRound({ ...usage, work: async () => ({ operations: CHANGES, latenciesMs: await changes() }) });
  stop.abort();
  await running;
  return { cold, change };
}

/** From the event to the first connection that reaches the other endpoint, each in milliseconds. */
async function changes(): Promise<number[]> {
  const address = clusterIp(Number(PROBED.slice(4)) + 20);
  const latenciesMs: number[] = [];
  for (let round = 1; round <= CHANGES; round++) {
    const port = PORTS[round % 2] ?? 0;
    const startedAt = performance.now();
    setSlice(7, [POD], port);
    while ((await ask(address)) !== `${port}`);
    latenciesMs.push(performance.now() - startedAt);
  }
  return latenciesMs;
}

console.log(JSON.stringify(await measure()));
process.exit(0);
