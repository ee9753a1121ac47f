// Which addresses a Service of type LoadBalancer is reached at: those of nodes, or one of a pool for each IP family.
import ipaddr from "ipaddr.js";
import type { LoadBalancerIngress, Node, Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { objectKey } from "../../machinery/index.ts";

export interface PortNumber {
  readonly protocol: string;
  readonly port: number;
}

export interface LoadBalancerOptions {
  /** Networks that addresses are given from; without one Services have the addresses of the nodes. */
  readonly pool?: readonly string[] | undefined;
  /** Ports of the nodes' own addresses that are not to be had. */
  readonly reservedPorts?: readonly PortNumber[] | undefined;
}

export interface LoadBalancerInput {
  readonly service: DeepReadonly<Service>;
  /** All Services whose load balancers are ours, this one among them. */
  readonly balanced: readonly DeepReadonly<Service>[];
  readonly nodes: readonly DeepReadonly<Node>[];
  /** Of the Service. */
  readonly slices: readonly DeepReadonly<EndpointSlice>[];
  readonly options: LoadBalancerOptions;
}

export interface LoadBalancerPlan {
  readonly ingress: readonly LoadBalancerIngress[];
  /** Why there is less than was asked for. */
  readonly problem?: string;
}

/** @see kubernetes `k8s.io/cloud-provider/service/helpers` */
export const CLEANUP_FINALIZER = "service.kubernetes.io/load-balancer-cleanup";
const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
/** More addresses than a pool needs to be looked through. */
const LARGEST_SEARCH = 65_536;

/** Whether the Service wants a load balancer from us: one with a class is another's. */
export function wantsLoadBalancer({ spec, metadata }: DeepReadonly<Service>): boolean {
  return spec?.type === "LoadBalancer" && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined;
}

export function planLoadBalancer(input: LoadBalancerInput): LoadBalancerPlan {
  return input.options.pool === undefined ? planNodeAddresses(input) : planPoolAddresses(input, input.options.pool);
}

function planNodeAddresses({ service, balanced, nodes, slices, options }: LoadBalancerInput): LoadBalancerPlan {
  const ports = portsOf(service);
  const reserved = ports.find((port) => (options.reservedPorts ?? []).some((other) => isSamePort(port, other)));
  if (reserved !== undefined) return { ingress: [], problem: `port ${text(reserved)} of the nodes is in use by the cluster itself` };
  for (const other of balanced) {
    if (!isBefore(other, service)) continue;
    const taken = ports.find((port) => portsOf(other).some((theirs) => isSamePort(port, theirs)));
    if (taken !== undefined) return { ingress: [], problem: `port ${text(taken)} of the nodes is in use by service ${objectKey(other)}` };
  }
  const served = service.spec?.externalTrafficPolicy === "Local" ? nodesWithEndpoints(slices) : undefined;
  const usable = nodes
    .filter((node) => isUsable(node) && served?.has(node.metadata.name ?? "") !== false)
    .sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  const ips = usable.flatMap((node) => internalIps(node)).filter((ip) => familiesOf(service).has(familyName(ip)));
  return { ingress: ips.map(asIngress) };
}

function planPoolAddresses({ service, balanced }: LoadBalancerInput, pool: readonly string[]): LoadBalancerPlan {
  const taken = new Set(balanced.filter((other) => objectKey(other) !== objectKey(service)).flatMap(ingressIps));
  const ingress: LoadBalancerIngress[] = [];
  const problems: string[] = [];
  for (const family of familiesOf(service)) {
    const networks = pool.filter((network) => familyName(network) === family);
    const wanted = [service.spec?.loadBalancerIP ?? "", ...ingressIps(service)].filter((ip) => ip !== "" && familyName(ip) === family);
    const ip =
      wanted.find((address) => !taken.has(address) && networks.some((network) => isIn(network, address))) ?? freeIp(networks, taken);
    if (ip === undefined) problems.push(`there is no free ${family} address in the pool ${pool.join(", ")}`);
    else ingress.push(asIngress(ip));
  }
  return { ingress, ...(problems.length === 0 ? {} : { problem: problems.join("; ") }) };
}

/** Whether the two are the same load balancer for everyone who reads the status. */
export function ingressIps({ status }: DeepReadonly<Service>): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
}

function asIngress(ip: string): LoadBalancerIngress {
  return { ip, ipMode: "VIP" };
}

/** The older of two has the right of way. */
function isBefore(other: DeepReadonly<Service>, service: DeepReadonly<Service>): boolean {
  const age = ({ metadata }: DeepReadonly<Service>) => metadata.creationTimestamp ?? "";
  return age(other) === age(service) ? objectKey(other) < objectKey(service) : age(other) < age(service);
}

function portsOf({ spec }: DeepReadonly<Service>): PortNumber[] {
  return (spec?.ports ?? []).map(({ protocol = "TCP", port }) => ({ protocol, port }));
}

function isSamePort(a: PortNumber, b: PortNumber): boolean {
  return a.protocol === b.protocol && a.port === b.port;
}

function text({ protocol, port }: PortNumber): string {
  return `${port}/${protocol}`;
}

/** What changes about a node that load balancers care for. */
export function isUsable({ metadata, status }: DeepReadonly<Node>): boolean {
  const isReady = status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;
  return isReady && metadata.deletionTimestamp === undefined && metadata.labels?.[EXCLUDE_LABEL] === undefined;
}

export function internalIps({ status }: DeepReadonly<Node>): string[] {
  return (status?.addresses ?? []).filter(({ type }) => type === "InternalIP").map(({ address }) => address);
}

function nodesWithEndpoints(slices: readonly DeepReadonly<EndpointSlice>[]): Set<string> {
  return new Set(
    slices.flatMap(({ endpoints = [] }) =>
      endpoints.filter(({ conditions }) => conditions?.ready !== false).flatMap(({ nodeName }) => nodeName ?? []),
    ),
  );
}

function familiesOf({ spec }: DeepReadonly<Service>): Set<string> {
  return new Set(spec?.ipFamilies ?? ["IPv4"]);
}

function familyName(address: string): string {
  return address.includes(":") ? "IPv6" : "IPv4";
}

function isIn(network: string, address: string): boolean {
  return ipaddr.parse(address).match(ipaddr.parseCIDR(network));
}

/** The first free one; the first and the last address of an IPv4 network stand for the network itself. */
function freeIp(networks: readonly string[], taken: ReadonlySet<string>): string | undefined {
  for (const network of networks) {
    const [address, prefix] = ipaddr.parseCIDR(network);
    const bytes = ipaddr
      .parse(
        address.kind() === "ipv6"
          ? ipaddr.IPv6.networkAddressFromCIDR(network).toString()
          : ipaddr.IPv4.networkAddressFromCIDR(network).toString(),
      )
      .toByteArray();
    const size = Math.min(2 ** (bytes.length * 8 - prefix), LARGEST_SEARCH);
    const [first, last] = size > 2 ? [1, size - 2] : [0, size - 1];
    for (let index = first; index <= last; index++) {
      const ip = ipaddr.fromByteArray(plus(bytes, index)).toString();
      if (!taken.has(ip)) return ip;
    }
  }
  return undefined;
}

function plus(bytes: readonly number[], offset: number): number[] {
  const sum = [...bytes];
  let carry = offset;
  for (let position = sum.length - 1; carry > 0 && position >= 0; position--) {
    carry += sum[position] ?? 0;
    sum[position] = carry % 256;
    carry = Math.floor(carry / 256);
  }
  return sum;
}
