// The node's network: service proxy, routes to the other nodes, and cluster DNS on the address that pods are given.
import { existsSync, readFileSync } from "node:fs";
import type { InformerSource } from "../../client/index.ts";
import {
  ClusterZone,
  DnsServer,
  HealthChecks,
  IPV4,
  NetworkPolicies,
  NodeRoutes,
  networkExchange,
  RESOLV_CONF_PATHS,
  Responder,
  type RunNft,
  ServiceProxy,
  upstreamServers,
} from "../../network/index.ts";
import type { AgentContext } from "./context.ts";
import { ensureLocalAddress, routeTable, udpFlows } from "./kernel.ts";
import { Nft } from "./nft.ts";

const PROXY_TABLE = "k8ts";
const POLICY_TABLE = "k8ts_policy";
const DNS_PORT = 53;

/** Runs until the signal aborts. What stands in the kernel stays: traffic goes on without the agent. */
export async function runNetwork({ config, clock, random, logger, signal }: AgentContext, informers: InformerSource): Promise<void> {
  const { nodeName, clusterDns } = config;
  const healthChecks = new HealthChecks(logger);
  const nft = new Nft(clock);
  const runNft: RunNft = (script, during) => nft.run(script, during);
  const close = () => {
    healthChecks.close();
    nft.close();
  };
  signal.addEventListener("abort", close, { once: true });
  const table = { table: PROXY_TABLE, family: IPV4, clusterCidr: config.podNetwork, localCidr: config.podCidr, nodePortNetworks: [] };
  const proxy = new ServiceProxy({
    informers,
    nodeName,
    tables: [table],
    runNft,
    udpFlows,
    healthChecks,
    clock,
    logger,
    localAddresses: [clusterDns],
  });
  const policies = new NetworkPolicies({ informers, nodeName, families: [IPV4], table: POLICY_TABLE, runNft, clock, logger });
  const routes = new NodeRoutes({ informers, nodeName, table: routeTable, clock, logger });
  const zone = new ClusterZone(informers, config.clusterDomain);
  const files = [config.resolvConf, ...RESOLV_CONF_PATHS].filter((path) => existsSync(path)).map((path) => readFileSync(path, "utf8"));
  const upstreams = upstreamServers(files, [clusterDns]);
  const responder = new Responder({ zone, upstreams, exchange: networkExchange(clock), clock, random, logger });
  const dns = new DnsServer({ responder, address: clusterDns, port: DNS_PORT, logger });
  const serveDns = async () => {
    await informers.waitForSync(signal);
    await ensureLocalAddress(clusterDns);
    await dns.listen();
    signal.addEventListener("abort", () => void dns.close(), { once: true });
  };
  informers.start(signal);
  await Promise.all([
    proxy.run(signal),
    config.networkPolicy ? policies.run(signal) : policies.remove(signal),
    routes.run(signal),
    serveDns(),
  ]);
}
