// The shape of a cluster on this machine: its networks and nodes. Decided by the first `up` and kept in cluster.json.
import ipaddr from "ipaddr.js";
import type { EtcdFiles } from "./process-config.ts";
import { parseEtcdUrl, StoreUrlError } from "./store-url.ts";

export interface Ipv6Networks {
  /** /64 of the nodes. */
  readonly nodeNetwork: string;
  /** /48 of the pods; node N has the Nth /64. */
  readonly podNetwork: string;
  /** A /108 or smaller. */
  readonly serviceNetwork: string;
}

/** Nodes' IPv6 addresses, which nobody but they themselves use. */
export const IPV6_NODE_NETWORK = "fd00:199::/64";

export interface ClusterSpec {
  readonly port: number;
  readonly nodeCount: number;
  /** Simulated nodes besides. */
  readonly hollowNodeCount: number;
  /** /24 of the nodes; the host has .1, which is also the first node's and the API server's address. */
  readonly nodeNetwork: string;
  /** /16 of the pods; node N has the Nth /24. */
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  /** The second IP family, when the cluster has one. */
  readonly ipv6?: Ipv6Networks;
  readonly clusterDomain: string;
  readonly logLevel: string;
  /** Whether NetworkPolicies are enforced. */
  readonly networkPolicy: boolean;
  /** Networks for the addresses of load balancers; when empty they have the nodes' addresses. */
  readonly loadBalancerPool: readonly string[];
  /** Node ports are open on the nodes' addresses in these networks; absent: on all but loopback. */
  readonly nodePortNetworks?: readonly string[];
  /** A KubeSchedulerConfiguration; absent: the scheduler's defaults. */
  readonly schedulerConfigFile?: string;
  /** A KubeletConfiguration; absent: the agents' defaults. */
  readonly kubeletConfigFile?: string;
  /** Mirrors and credentials of image registries; absent: none. */
  readonly registriesFile?: string;
  /** An AuthenticationConfiguration: OIDC issuers, anonymous access. */
  readonly authenticationConfigFile?: string;
  /** An AuthorizationConfiguration: whom to ask who may do what; absent: Node, then RBAC. */
  readonly authorizationConfigFile?: string;
  /** A Policy of audit.k8s.io/v1; absent: no audit log. */
  readonly auditPolicyFile?: string;
  /** Where everything is kept; absent: in the embedded store. */
  readonly etcd?: EtcdFiles;
}

export const DEFAULT_SPEC: ClusterSpec = {
  port: 6443,
  nodeCount: 1,
  hollowNodeCount: 0,
  nodeNetwork: "10.199.0.0/24",
  podNetwork: "10.244.0.0/16",
  serviceNetwork: "10.96.0.0/16",
  clusterDomain: "cluster.local",
  logLevel: "info",
  networkPolicy: true,
  loadBalancerPool: [],
};

export const MOST_NODES = 100;
/** More would need more than one server. */
export const MOST_HOLLOW_NODES = 10_000;
export const BRIDGE = "k8ts0";
/** The cgroup below which everything of the cluster runs, in every hierarchy. */
export const CGROUP_ROOT = "/k8ts";

export interface NodeSpec {
  readonly name: string;
  readonly index: number;
  readonly address: string;
  readonly podCidr: string;
  readonly cgroupRoot: string;
  /** Of the second IP family, when the cluster has one. */
  readonly ipv6?: { readonly address: string; readonly podCidr: string };
  /** Undefined for the first node, which lives in the host's network namespace. */
  readonly networkNamespace?: string;
  /** The host's end of the pair that leads into the namespace. */
  readonly link?: string;
}

/** The nodes of a cluster, the host's first. */
export function nodesOf(spec: ClusterSpec): NodeSpec[] {
  return Array.from({ length: spec.nodeCount }, (_, position) => nodeOf(spec, position + 1));
}

function nodeOf(spec: ClusterSpec, index: number): NodeSpec {
  const name = `node-${index}`;
  return {
    name,
    index,
    address: hostAddress(spec.nodeNetwork, index),
    podCidr: `${octets(spec.podNetwork).slice(0, 2).join(".")}.${index}.0/24`,
    cgroupRoot: `${CGROUP_ROOT}/${name}`,
    ...(spec.ipv6 === undefined ? {} : { ipv6: ipv6Of(spec.ipv6, index) }),
    ...(index === 1 ? {} : { networkNamespace: `k8ts-${name}`, link: `k8ts-${name}` }),
  };
}

function ipv6Of({ nodeNetwork, podNetwork }: Ipv6Networks, index: number): NonNullable<NodeSpec["ipv6"]> {
  const [network = ""] = nodeNetwork.split("/");
  const groups = ipaddr.IPv6.parse(podNetwork.split("/")[0] ?? "")
    .parts.slice(0, 3)
    .map((part) => part.toString(16));
  const podCidr = `${new ipaddr.IPv6([...groups.map((group) => Number.parseInt(group, 16)), index, 0, 0, 0, 0]).toString()}/64`;
  return { address: `${network}${index.toString(16)}`, podCidr };
}

/** The service address of the cluster's DNS. */
export function dnsAddress({ serviceNetwork }: Pick<ClusterSpec, "serviceNetwork">): string {
  return hostAddress(serviceNetwork, 10);
}

/** The `index`th address of a network: 1 is its first host. */
export function hostAddress(network: string, index: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = octets(network);
  const value = ((a * 256 + b) * 256 + c) * 256 + d + index;
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

function octets(network: string): number[] {
  return network.replace(/\/.*/, "").split(".").map(Number);
}

/** What is wrong with a spec, each a sentence that says what to do. */
export function specProblems(spec: ClusterSpec): string[] {
  const problems: string[] = [];
  const isNetwork = (text: string, prefix: number) =>
    text.endsWith(`/${prefix}`) &&
    octets(text).length === 4 &&
    octets(text).every((octet) => Number.isInteger(octet) && octet >= 0 && octet < 256);
  if (!Number.isInteger(spec.port) || spec.port < 1 || spec.port > 65535)
    problems.push(`--port must be a number from 1 to 65535, not ${spec.port}`);
  if (!Number.isInteger(spec.nodeCount) || spec.nodeCount < 1 || spec.nodeCount > MOST_NODES) {
    problems.push(`--nodes must be a number from 1 to ${MOST_NODES}`);
  }
  const { hollowNodeCount } = spec;
  if (!Number.isInteger(hollowNodeCount) || hollowNodeCount < 0 || hollowNodeCount > MOST_HOLLOW_NODES) {
    problems.push(`--hollow-nodes must be a number from 0 to ${MOST_HOLLOW_NODES}`);
  }
  if (!isNetwork(spec.nodeNetwork, 24))
    problems.push(`--node-network must be an IPv4 network such as 10.199.0.0/24, not ${spec.nodeNetwork}`);
  if (!isNetwork(spec.podNetwork, 16)) problems.push(`--pod-network must be an IPv4 network such as 10.244.0.0/16, not ${spec.podNetwork}`);
  if (!isNetwork(spec.serviceNetwork, 16)) {
    problems.push(`--service-network must be an IPv4 network such as 10.96.0.0/16, not ${spec.serviceNetwork}`);
  }
  if (spec.ipv6 !== undefined) problems.push(...ipv6Problems(spec.ipv6));
  const lists = { "--load-balancer-pool": spec.loadBalancerPool, "--node-port-addresses": spec.nodePortNetworks ?? [] };
  for (const [option, networks] of Object.entries(lists)) {
    for (const network of networks)
      if (!isValidNetwork(network)) problems.push(`${option} must be networks such as 192.0.2.0/28, not ${network}`);
  }
  try {
    if (spec.etcd !== undefined) parseEtcdUrl(spec.etcd.url);
  } catch (error) {
    if (!(error instanceof StoreUrlError)) throw error;
    problems.push(error.message);
  }
  return problems;
}

function ipv6Problems({ podNetwork, serviceNetwork }: Ipv6Networks): string[] {
  const prefixOf = (network: string) => (ipaddr.IPv6.isValidCIDR(network) ? Number(network.split("/")[1]) : undefined);
  const problems: string[] = [];
  if (prefixOf(podNetwork) !== 48) problems.push(`--pod-network's second must be an IPv6 network such as fd00:244::/48, not ${podNetwork}`);
  const prefix = prefixOf(serviceNetwork) ?? 0;
  if (prefix < 108 || prefix > 126) {
    problems.push(`--service-network's second must be an IPv6 network such as fd00:96::/112, not ${serviceNetwork}`);
  }
  return problems;
}

function isValidNetwork(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}
