// Runs cluster DNS over many Services on a loopback port and says where; bench/areas/dns.ts starts and asks it.

import { silentLogger } from "../src/base/index.ts";
import { SystemClock, SystemRandom } from "../src/cmd/system/clock.ts";
import { ClusterZone, DnsServer, Forwarder, networkExchange, Responder } from "../src/network/index.ts";
import { MemoryInformers } from "../src/network/testing.ts";

const informers = new MemoryInformers();
for (let index = 0; index < Number(process.argv[2]); index++) {
  const clusterIP = `10.96.${(index >> 8) & 255}.${index & 255}`;
  const metadata = { namespace: "default", name: `web-${index}` };
  informers.set("services", { metadata, spec: { clusterIP, clusterIPs: [clusterIP], ports: [] } } as never);
}
const clock = new SystemClock();
const common = { clock, random: new SystemRandom(), logger: silentLogger };
const upstreams = { servers: [], stubDomains: new Map() };
const forwarder = new Forwarder({ ...common, upstreams, exchange: networkExchange(clock) });
const zone = new ClusterZone(informers, { domain: "cluster.local", serverAddress: "127.0.0.1" });
const server = new DnsServer({
  responder: new Responder({ ...common, zone, forwarder }),
  address: "127.0.0.1",
  port: 0,
  logger: silentLogger,
});
console.log((await server.listen()).udpPort);
