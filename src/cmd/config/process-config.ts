// The configuration files of the processes: `k8ts server --config file`, `k8ts agent --config file`, `k8ts hollow --config file`.
import type { FilePair } from "../pki/cluster-pki.ts";
import type { LogLevel } from "../system/logger.ts";

export interface AuditConfig {
  /** A Policy of audit.k8s.io/v1, in YAML. */
  readonly policyFile: string;
  /** Where events are written, a line each. Absent: no log. */
  readonly logFile?: string;
  /** Megabytes after which the log is put aside; default 100. */
  readonly maxSizeMb?: number;
  /** How many of those are kept; default 10. */
  readonly maxBackups?: number;
  /** Where events are sent. */
  readonly webhook?: { readonly url: string; readonly caFile?: string };
}

/** An etcd, and the files by which its members are known and the server is known to them. */
export interface EtcdFiles {
  /** `etcd://host:port,host:port/prefix` */
  readonly url: string;
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly privateKeyFile?: string;
}

export interface StoreConfig {
  /** Where the embedded store lies. */
  readonly dataDirectory: string;
  /** Instead of the embedded store. */
  readonly etcd?: EtcdFiles;
}

export interface ServerConfig extends StoreConfig {
  /** Addresses to listen on; the first is loopback. */
  readonly listen: readonly string[];
  readonly port: number;
  /** Where pods and other nodes reach the server: the endpoint of the service `kubernetes`. */
  readonly advertiseAddress: string;
  readonly logLevel: LogLevel;
  readonly caFile: string;
  readonly caKeyFile: string;
  readonly serving: FilePair;
  readonly kubeletClient: FilePair;
  /** Whose certificates may tell who the user is, and the server's own to do so to aggregated API servers. */
  readonly frontProxyCaFile: string;
  readonly frontProxyClient: FilePair;
  /** An AuthenticationConfiguration: OIDC issuers, anonymous access. */
  readonly authenticationConfigFile?: string;
  /** An AuthorizationConfiguration: whom to ask who may do what. Absent: Node, then RBAC. */
  readonly authorizationConfigFile?: string;
  /** Another server that judges tokens. */
  readonly tokenWebhook?: { readonly url: string; readonly caFile?: string };
  /** Absent: no audit log. */
  readonly audit?: AuditConfig;
  readonly controllerManager: FilePair;
  readonly scheduler: FilePair;
  /** A KubeSchedulerConfiguration (YAML). */
  readonly schedulerConfigFile?: string;
  readonly serviceAccountKeyFile: string;
  readonly serviceAccountIssuer: string;
  readonly encryptionConfigFile: string;
  /** Of the server: with a comma and an IPv6 network behind it when the cluster has two families. */
  readonly serviceNetwork: string;
  readonly podNetwork: string;
  readonly clusterDomain: string;
  /** Networks for the addresses of load balancers; without, they have the nodes' addresses. */
  readonly loadBalancerPool?: readonly string[];
}

export interface AgentConfig {
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly podCidr: string;
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  readonly clusterDomain: string;
  /** The address of cluster DNS: the service network's tenth. */
  readonly clusterDns: string;
  readonly logLevel: LogLevel;
  readonly kubeconfig: string;
  readonly caFile: string;
  readonly serving: FilePair;
  readonly kubeletPort: number;
  readonly runtimeSocket: string;
  /** The kubelet's root: pods' volumes and its own state. */
  readonly kubeletDirectory: string;
  readonly manifestDirectory: string;
  readonly podLogDirectory: string;
  /** Names of the images that were loaded by hand. */
  readonly loadedImagesFile: string;
  /** Where the volumes of the default storage class are kept. */
  readonly localPathDirectory: string;
  /** A KubeletConfiguration (YAML). */
  readonly kubeletConfigFile?: string;
  readonly cgroupRoot: string;
  readonly cgroupVersion: 1 | 2;
  readonly resolvConf: string;
  readonly cniConfigDirectory: string;
  /** Whether NetworkPolicies are enforced. */
  readonly networkPolicy: boolean;
  /** Node ports are open on the node's addresses in these networks; without, on all but loopback. */
  readonly nodePortNetworks?: readonly string[];
  /** The second IP family, when the cluster has one. */
  readonly ipv6?: { readonly nodeAddress: string; readonly podCidr: string; readonly podNetwork: string };
}

export interface HollowConfig {
  readonly nodeCount: number;
  readonly logLevel: LogLevel;
  readonly kubeconfig: string;
  readonly caFile: string;
  readonly serving: FilePair;
  /** Of the one server that answers for all of them; its port is any that is free. */
  readonly address: string;
}
