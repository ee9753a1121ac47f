// The node's network: service proxy, routes to the other nodes, and cluster DNS on the address that pods are given.
import { existsSync, readFileSync } from "node:fs";
import { resources } from "../../api/index.ts";
import type { InformerSource } from "../../client/index.ts";
import {
  ClusterZone,
  configuredUpstreams,
  DnsServer,
  Forwarder,
  HealthChecks,
  IPV4,
  IPV6,
  NetworkPolicies,
  NodeRoutes,
  networkExchange,
  RESOLV_CONF_PATHS,
  Responder,
  type RunNft,
  ServiceProxy,
  type TableOptions,
  upstreamServers,
} from "../../network/index.ts";
import type { AgentConfig } from "../config/process-config.ts";
import type { AgentContext } from "./context.ts";
import { ensureLocalAddress, routeTable, udpFlows } from "./kernel.ts";
import { Nft } from "./nft.ts";

const PROXY_TABLE = "k8ts";
const POLICY_TABLE = "k8ts_policy";
const DNS_PORT = 53;
/** The ConfigMap in kube-system that names other name servers. */
const DNS_SETTINGS = "kube-dns";

/** Runs until the signal aborts. What stands in the kernel stays: traffic goes on without the agent. */
export async function runNetwork(context: AgentContext, informers: InformerSource): Promise<void> {
  const { config, clock, logger, signal } = context;
  const { nodeName, clusterDns } = config;
  const healthChecks = new HealthChecks(logger);
  const nft = new Nft(clock);
  const runNft: RunNft = (script, during) => nft.run(script, during);
  const close = () => {
    healthChecks.close();
    nft.close();
  };
  signal.addEventListener("abort", close, { once: true });
  const proxy = new ServiceProxy({
    informers,
    nodeName,
    tables: tables(config),
    runNft,
    udpFlows,
    healthChecks,
    clock,
    logger,
    localAddresses: [clusterDns],
  });
  const policies = new NetworkPolicies({
    informers,
    nodeName,
    families: tables(config).map(({ family }) => family),
    table: POLICY_TABLE,
    runNft,
    clock,
    logger,
  });
  const routes = new NodeRoutes({ informers, nodeName, table: routeTable, clock, logger });
  const dns = dnsServer(context, informers);
  informers.start(signal);
  await Promise.all([proxy.run(signal), config.networkPolicy ? policies.run(signal) : policies.remove(signal), routes.run(signal), dns()]);
}

/** The proxy's tables, one for each IP family of the cluster. */
function tables({ podNetwork, podCidr, ipv6 }: AgentConfig): TableOptions[] {
  const common = { table: PROXY_TABLE, nodePortNetworks: [] };
  const first = { ...common, family: IPV4, clusterCidr: podNetwork, localCidr: podCidr };
  if (ipv6 === undefined) return [first];
  return [first, { ...common, family: IPV6, clusterCidr: ipv6.podNetwork, localCidr: ipv6.podCidr }];
}

/** Cluster DNS: answers how to serve it once the informers have been started. */
function dnsServer({ config, clock, random, logger, signal }: AgentContext, informers: InformerSource): () => Promise<void> {
  const { clusterDns, clusterDomain } = config;
  const zone = new ClusterZone(informers, { domain: clusterDomain, serverAddress: clusterDns });
  const files = [config.resolvConf, ...RESOLV_CONF_PATHS].filter((path) => existsSync(path)).map((path) => readFileSync(path, "utf8"));
  const servers = upstreamServers(files, [clusterDns]);
  const upstreams = { servers, stubDomains: new Map() };
  const forwarder = new Forwarder({ upstreams, exchange: networkExchange(clock), clock, random, logger });
  const responder = new Responder({ zone, forwarder, clock, random });
  const dns = new DnsServer({ responder, address: clusterDns, port: DNS_PORT, logger });
  const settings = informers.informer(resources.configmaps, { namespace: "kube-system", fieldSelector: `metadata.name=${DNS_SETTINGS}` });
  const configure = () => {
    forwarder.upstreams = configuredUpstreams(settings.lister.get("kube-system", DNS_SETTINGS), servers, (problem) => logger.warn(problem));
    void forwarder.probe();
  };
  return async () => {
    await informers.waitForSync(signal);
    await ensureLocalAddress(clusterDns);
    await dns.listen();
    signal.addEventListener("abort", () => void dns.close(), { once: true });
    configure();
    settings.onChange({ added: configure, updated: configure, deleted: configure });
  };
}
