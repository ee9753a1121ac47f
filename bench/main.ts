// `npm run bench`: measures a Kubernetes API server, k8ts's own or any other, and prints a table for each area.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { DEFAULT_RUN_DIRECTORY, layoutOf } from "../src/cmd/config/layout.ts";
import { readPidFile } from "../src/cmd/system/processes.ts";
import { EtcdCluster } from "../src/storage/etcd/etcd.fixture.ts";
import { apiArea } from "./areas/api.ts";
import { controlArea, namespaceArea } from "./areas/control.ts";
import { dnsArea } from "./areas/dns.ts";
import { hollowArea } from "./areas/hollow.ts";
import { idleArea } from "./areas/idle.ts";
import { listArea } from "./areas/list.ts";
import { networkArea } from "./areas/network.ts";
import { nodeArea } from "./areas/node.ts";
import { podStartArea } from "./areas/pod-start.ts";
import { memoryArea, startArea } from "./areas/resident.ts";
import { schedulerArea } from "./areas/scheduler.ts";
import { storeArea } from "./areas/store.ts";
import { upArea } from "./areas/up.ts";
import { watchArea } from "./areas/watch.ts";
import type { Bench, ServerArea } from "./bench.ts";
import type { Row } from "./measure.ts";
import { printRows } from "./print.ts";
import { OwnServer } from "./server.ts";
import { type Target, targetOfKubeconfig, targetOfToken } from "./target.ts";

const USAGE = `usage: npm run bench -- [area …] [options]

areas   api list watch scheduler control namespace
                                        against a server of its own, or the one given
        etcd                            api, with a server of its own on an etcd of its own
        hollow                          a server of its own with simulated nodes and their pods
        start memory                    a server of its own with 10 000 and 150 000 pods: its start, its size
        store                           the LMDB store in this process
        dns                             cluster DNS over UDP
        network                         the service proxy and network policies, as root
        pod-start                       a cluster with a real node
        up                              ./k8ts up, as root, where no cluster is up
        node                            a node against its runtime: starts, 50 pods at once, and 50 idle ones
        idle                            the processes of a cluster that is up
        default: api list watch scheduler control namespace hollow store

options --server URL --token T          the server to measure
        --kubeconfig FILE               the same, with its current context
        --server-pid PID                whose CPU and memory to read (default: that of the run directory)
        --run-dir DIR                   of a cluster that is up (default: ${DEFAULT_RUN_DIRECTORY})
        --seconds N                     length of a timed loop (default: 10; idle: 120)
        --rounds N                      default: 3
        --nodes N --pods N              of hollow (default: 1000 and 10000)
        --image NAME                    for pod-start (default: busybox)
        --profile DIR                   write a CPU profile of the benchmark's own server`;

const serverAreas: Readonly<Record<string, ServerArea>> = {
  api: apiArea,
  list: listArea,
  watch: watchArea,
  scheduler: schedulerArea,
  control: controlArea,
  namespace: namespaceArea,
  "pod-start": podStartArea,
};
const otherAreas = new Set(["hollow", "etcd", "start", "memory", "store", "network", "dns", "up", "node", "idle"]);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean" },
    server: { type: "string" },
    token: { type: "string" },
    kubeconfig: { type: "string" },
    "server-pid": { type: "string" },
    "run-dir": { type: "string", default: DEFAULT_RUN_DIRECTORY },
    seconds: { type: "string" },
    rounds: { type: "string", default: "3" },
    nodes: { type: "string", default: "1000" },
    pods: { type: "string", default: "10000" },
    image: { type: "string", default: "busybox" },
    profile: { type: "string" },
  },
});

const layout = layoutOf("", values["run-dir"]);
const run = Math.floor(performance.timeOrigin).toString(36);

async function givenTarget(): Promise<Target | undefined> {
  if (values.kubeconfig !== undefined) return targetOfKubeconfig(values.kubeconfig);
  if (values.server === undefined) return undefined;
  return targetOfToken(values.server, values.token ?? "");
}

function benchOf(target: Target, serverPid: number | undefined): Bench {
  return { target, serverPid, seconds: Number(values.seconds ?? "10"), rounds: Number(values.rounds), image: values.image, run };
}

async function runServerArea(name: string, area: ServerArea): Promise<void> {
  const target = await givenTarget();
  if (target !== undefined) {
    const pid = values["server-pid"] === undefined ? readPidFile(layout.serverPid)?.pid : Number(values["server-pid"]);
    printRows(name, await area(benchOf(target, pid)));
    return;
  }
  if (name === "pod-start") throw new Error("pod-start needs a cluster with a node: give --kubeconfig");
  await runOnOwnServer(name, (server) => area(benchOf(server.target, server.pid)));
}

async function runOnOwnServer(name: string, measure: (server: OwnServer) => Promise<Row[]>, etcdUrl?: string): Promise<void> {
  await using server = await OwnServer.start({ profileDirectory: values.profile, etcdUrl });
  printRows(name, await measure(server));
}

async function runHollow(): Promise<void> {
  await using server = await OwnServer.start({ profileDirectory: values.profile });
  await hollowArea({ server, nodes: Number(values.nodes), pods: Number(values.pods), seconds: Number(values.seconds ?? "30") });
}

async function runOnEtcd(): Promise<void> {
  await using etcd = await EtcdCluster.start();
  await runOnOwnServer("etcd", (server) => apiArea(benchOf(server.target, server.pid)), `etcd://${etcd.endpoints[0]}`);
}

async function runArea(name: string): Promise<void> {
  const area = serverAreas[name];
  if (area !== undefined) return runServerArea(name, area);
  if (name === "hollow") return runHollow();
  if (name === "etcd") return runOnEtcd();
  if (name === "start") return runOnOwnServer(name, (server) => startArea(server, benchOf(server.target, server.pid)));
  if (name === "memory") return runOnOwnServer(name, (server) => memoryArea(server, benchOf(server.target, server.pid)));
  if (name === "store") printRows(name, await storeArea({ seconds: Number(values.seconds ?? "3"), rounds: Number(values.rounds) }));
  else if (name === "dns") printRows(name, await dnsArea({ seconds: Number(values.seconds ?? "3"), rounds: Number(values.rounds) }));
  else if (name === "network") printRows(name, await networkArea({ rounds: Number(values.rounds) }));
  else if (name === "node") {
    const target = await givenTarget();
    if (target === undefined) throw new Error("node needs a cluster with a node: give --kubeconfig");
    await nodeArea(benchOf(target, readPidFile(layout.serverPid)?.pid), layout.node("node-1"));
  } else if (name === "up") printRows(name, await upArea({ rounds: Number(values.rounds) }));
  else await idleArea({ layout, seconds: Number(values.seconds ?? "120") });
}

async function main(): Promise<void> {
  const areas = positionals.length > 0 ? positionals : ["api", "list", "watch", "scheduler", "control", "namespace", "hollow", "store"];
  const unknown = areas.filter((name) => serverAreas[name] === undefined && !otherAreas.has(name));
  if (values.help === true || unknown.length > 0) {
    console.log(unknown.length > 0 ? `unknown area ${unknown.join(", ")}\n\n${USAGE}` : USAGE);
    process.exitCode = unknown.length > 0 ? 2 : 0;
    return;
  }
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.version}`);
  for (const name of areas) {
    try {
      await runArea(name);
    } catch (error) {
      console.log(`\n${name}: void — ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}

await main();
