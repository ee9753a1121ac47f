// Flows of UDP that the kernel goes on translating to an endpoint which has left its Service, or leaves untranslated
// because they began before the Service did. TCP ends by itself; a UDP client would send into the void for ever.
import type { ProxyHostPort } from "./host-port.ts";
import type { ProxyServicePort } from "./service-port.ts";

/** A tracked flow as far as it matters: where the client sends to, and who answers. */
export interface UdpFlow {
  readonly destination: string;
  readonly port: number;
  readonly replySource: string;
}

/** The kernel's table of connections. */
export interface UdpFlows {
  list(signal: AbortSignal): Promise<readonly UdpFlow[]>;
  /** Forgets all flows that look like this one. */
  remove(flow: UdpFlow, signal: AbortSignal): Promise<void>;
}

/** An address and port that leads to endpoints; the address is "" for all of the node's. */
export interface UdpFrontend {
  readonly address: string;
  readonly port: number;
  readonly endpoints: ReadonlySet<string>;
}

export function udpFrontends(ports: readonly ProxyServicePort[]): UdpFrontend[] {
  return ports
    .filter(({ protocol }) => protocol === "udp")
    .flatMap((port) => {
      const endpoints = new Set([...port.clusterEndpoints, ...port.localEndpoints].map(({ ip }) => ip));
      const addresses = [...port.clusterIps, ...port.externalIps];
      const frontends = addresses.map((address) => ({ address, port: port.port, endpoints }));
      return port.nodePort === 0 ? frontends : [...frontends, { address: "", port: port.nodePort, endpoints }];
    });
}

export function udpHostPorts(hostPorts: readonly ProxyHostPort[]): UdpFrontend[] {
  return hostPorts
    .filter(({ protocol }) => protocol === "udp")
    .map(({ hostIp, hostPort, podIp }) => ({ address: hostIp, port: hostPort, endpoints: new Set([podIp]) }));
}

/** Which flows to forget, each look once. Flows to ports of the node count only when they were translated: others' may have the same port. */
export function staleFlows(flows: readonly UdpFlow[], frontends: readonly UdpFrontend[]): UdpFlow[] {
  const endpointsOf = new Map(frontends.map(({ address, port, endpoints }) => [`${address}:${port}`, endpoints]));
  const stale = new Map<string, UdpFlow>();
  for (const flow of flows) {
    const { destination, port, replySource } = flow;
    const isTranslated = destination !== replySource;
    const endpoints = endpointsOf.get(`${destination}:${port}`) ?? (isTranslated ? endpointsOf.get(`:${port}`) : undefined);
    if (endpoints === undefined || endpoints.has(replySource)) continue;
    stale.set(`${destination} ${port} ${replySource}`, { destination, port, replySource });
  }
  return [...stale.values()];
}

/** One line of `conntrack -L -p udp`; undefined for what is not a flow. */
export function parseFlow(line: string): UdpFlow | undefined {
  const values = (name: string) => [...line.matchAll(new RegExp(`\\b${name}=(\\S+)`, "g"))].map((match) => match[1]);
  const [destination] = values("dst");
  const [port] = values("dport");
  const replySource = values("src")[1];
  if (destination === undefined || port === undefined || replySource === undefined) return undefined;
  return { destination, port: Number(port), replySource };
}
