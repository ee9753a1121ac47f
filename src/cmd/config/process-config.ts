// The configuration files of the processes: `k8ts server --config file`, `k8ts agent --config file`, `k8ts hollow --config file`.
import type { AuthenticationConfig } from "../../apiserver/index.ts";
import type { FilePair } from "../pki/cluster-pki.ts";
import type { LogLevel } from "../system/logger.ts";

export interface ServerConfig {
  /** Addresses to listen on; the first is loopback. */
  readonly listen: readonly string[];
  readonly port: number;
  /** Where pods and other nodes reach the server: the endpoint of the service `kubernetes`. */
  readonly advertiseAddress: string;
  readonly dataDirectory: string;
  readonly logLevel: LogLevel;
  readonly caFile: string;
  readonly caKeyFile: string;
  readonly serving: FilePair;
  readonly kubeletClient: FilePair;
  /** Whose certificates may tell who the user is, and the server's own to do so to aggregated API servers. */
  readonly frontProxyCaFile: string;
  readonly frontProxyClient: FilePair;
  /** OIDC issuers, anonymous access, a token webhook: a subset of AuthenticationConfiguration. */
  readonly authentication?: AuthenticationConfig;
  readonly controllerManager: FilePair;
  readonly scheduler: FilePair;
  readonly serviceAccountKeyFile: string;
  readonly serviceAccountIssuer: string;
  readonly encryptionConfigFile: string;
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
  readonly podLogDirectory: string;
  /** Names of the images that were loaded by hand. */
  readonly loadedImagesFile: string;
  /** Where the volumes of the default storage class are kept. */
  readonly localPathDirectory: string;
  readonly cgroupRoot: string;
  readonly cgroupVersion: 1 | 2;
  readonly resolvConf: string;
  readonly cniConfigDirectory: string;
  /** Whether NetworkPolicies are enforced. */
  readonly networkPolicy: boolean;
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
