// Makes the processes' configuration files from what `up` knows.
import { join } from "node:path";
import type { ClusterPki } from "../pki/cluster-pki.ts";
import type { LogLevel } from "../system/logger.ts";
import { type ClusterSpec, dnsAddress, hostAddress, type NodeSpec } from "./cluster.ts";
import type { Layout } from "./layout.ts";
import type { AgentConfig, HollowConfig, ServerConfig } from "./process-config.ts";

const KUBELET_PORT = 10250;
const RESOLVED_UPSTREAM = "/run/systemd/resolve/resolv.conf";

export interface RenderFacts {
  readonly cgroupVersion: 1 | 2;
  /** Whether systemd-resolved runs: its stub address means nothing inside a pod. */
  readonly hasSystemdResolved: boolean;
}

export function serverConfig(spec: ClusterSpec, layout: Layout, pki: ClusterPki): ServerConfig {
  const advertiseAddress = hostAddress(spec.nodeNetwork, 1);
  return {
    listen: ["127.0.0.1", advertiseAddress],
    port: spec.port,
    advertiseAddress,
    dataDirectory: layout.serverData,
    ...(spec.etcd === undefined ? {} : { etcd: spec.etcd }),
    logLevel: spec.logLevel as LogLevel,
    caFile: pki.caFile,
    caKeyFile: pki.caKeyFile,
    serving: pki.serving,
    kubeletClient: pki.kubeletClient,
    frontProxyCaFile: pki.frontProxyCaFile,
    frontProxyClient: pki.frontProxyClient,
    controllerManager: pki.controllerManager,
    scheduler: pki.scheduler,
    ...(spec.authenticationConfigFile === undefined ? {} : { authenticationConfigFile: spec.authenticationConfigFile }),
    ...(spec.authorizationConfigFile === undefined ? {} : { authorizationConfigFile: spec.authorizationConfigFile }),
    ...(spec.auditPolicyFile === undefined ? {} : { audit: { policyFile: spec.auditPolicyFile, logFile: join(layout.logs, "audit.log") } }),
    ...(spec.schedulerConfigFile === undefined ? {} : { schedulerConfigFile: spec.schedulerConfigFile }),
    serviceAccountKeyFile: pki.serviceAccountKeyFile,
    serviceAccountIssuer: `https://kubernetes.default.svc.${spec.clusterDomain}`,
    encryptionConfigFile: pki.encryptionConfigFile,
    serviceNetwork: [spec.serviceNetwork, ...(spec.ipv6 === undefined ? [] : [spec.ipv6.serviceNetwork])].join(),
    podNetwork: spec.podNetwork,
    clusterDomain: spec.clusterDomain,
    ...(spec.loadBalancerPool.length === 0 ? {} : { loadBalancerPool: spec.loadBalancerPool }),
  };
}

export function hollowConfig(spec: ClusterSpec, layout: Layout, pki: ClusterPki): HollowConfig {
  return {
    nodeCount: spec.hollowNodeCount,
    logLevel: spec.logLevel as LogLevel,
    kubeconfig: layout.hollowKubeconfig,
    caFile: pki.caFile,
    serving: pki.hollow.serving,
    address: "127.0.0.1",
  };
}

export interface AgentRender {
  readonly spec: ClusterSpec;
  readonly node: NodeSpec;
  readonly layout: Layout;
  readonly pki: ClusterPki;
  readonly facts: RenderFacts;
}

export function agentConfig({ spec, node, layout, pki, facts }: AgentRender): AgentConfig {
  const files = layout.node(node.name);
  const serving = pki.nodes[node.name]?.serving;
  if (serving === undefined) throw new Error(`no certificates for ${node.name}`);
  return {
    nodeName: node.name,
    nodeAddress: node.address,
    podCidr: node.podCidr,
    podNetwork: spec.podNetwork,
    serviceNetwork: spec.serviceNetwork,
    clusterDomain: spec.clusterDomain,
    clusterDns: dnsAddress(spec),
    logLevel: spec.logLevel as LogLevel,
    kubeconfig: files.agentKubeconfig,
    caFile: pki.caFile,
    serving,
    kubeletPort: KUBELET_PORT,
    runtimeSocket: files.containerdSocket,
    kubeletDirectory: files.kubelet,
    manifestDirectory: files.manifests,
    podLogDirectory: files.podLogs,
    loadedImagesFile: files.loadedImages,
    localPathDirectory: files.localPath,
    ...(spec.kubeletConfigFile === undefined ? {} : { kubeletConfigFile: spec.kubeletConfigFile }),
    cgroupRoot: node.cgroupRoot,
    cgroupVersion: facts.cgroupVersion,
    resolvConf: facts.hasSystemdResolved ? RESOLVED_UPSTREAM : "/etc/resolv.conf",
    cniConfigDirectory: files.cniConfig,
    networkPolicy: spec.networkPolicy,
    ...(spec.nodePortNetworks === undefined ? {} : { nodePortNetworks: spec.nodePortNetworks }),
    ...(spec.ipv6 === undefined || node.ipv6 === undefined
      ? {}
      : { ipv6: { nodeAddress: node.ipv6.address, podCidr: node.ipv6.podCidr, podNetwork: spec.ipv6.podNetwork } }),
  };
}
