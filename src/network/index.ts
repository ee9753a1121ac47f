export { ClusterZone } from "./dns/cluster-zone.ts";
export { DnsServer } from "./dns/dns-server.ts";
export { Responder } from "./dns/responder.ts";
export { networkExchange } from "./dns/transport.ts";
export { RESOLV_CONF_PATHS, upstreamServers } from "./dns/upstreams.ts";
export { type RunNft, ServiceProxy } from "./proxy/proxy.ts";
export { NodeRoutes, type RouteTable } from "./routes/node-routes.ts";
