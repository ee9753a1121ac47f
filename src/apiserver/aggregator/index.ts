export { AggregatedEndpoint, type AggregatedEndpointOptions } from "./aggregated-endpoint.ts";
export { Aggregator, type AggregatorOptions } from "./aggregator.ts";
export { type AuthenticationInfo, publishAuthenticationInfo } from "./authentication-info.ts";
export { localPriority } from "./priorities.ts";
export { discoveryEntries, type RemoteGroupVersion } from "./remote-discovery.ts";
export type { ProxyCertificate } from "./remote-server.ts";
