// Where everything of a cluster lies: what must be kept in the data directory, what dies with the machine in the run directory.
import { join } from "node:path";

export const DEFAULT_DATA_DIRECTORY = "/var/lib/k8ts";
export const DEFAULT_RUN_DIRECTORY = "/run/k8ts";

export interface Layout {
  readonly dataDirectory: string;
  readonly runDirectory: string;
  readonly clusterFile: string;
  readonly ledgerFile: string;
  /** The host as it was before the first `up`. */
  readonly hostStateFile: string;
  readonly kubeconfig: string;
  readonly pki: string;
  readonly logs: string;
  readonly bin: string;
  readonly pauseArchive: string;
  readonly serverConfig: string;
  readonly serverData: string;
  readonly serverPid: string;
  readonly hollowConfig: string;
  readonly hollowKubeconfig: string;
  readonly hollowPid: string;
  node(name: string): NodeLayout;
}

export interface NodeLayout {
  readonly directory: string;
  readonly runDirectory: string;
  readonly agentConfig: string;
  readonly agentKubeconfig: string;
  readonly agentPid: string;
  readonly kubelet: string;
  /** Static pods: a manifest put here runs. */
  readonly manifests: string;
  readonly podLogs: string;
  readonly containerdConfig: string;
  readonly containerdRoot: string;
  readonly containerdState: string;
  readonly containerdSocket: string;
  readonly containerdPid: string;
  readonly cniConfig: string;
  /** The same network for pods with a limited bandwidth. */
  readonly cniLimitedConfig: string;
  readonly cniState: string;
  readonly registryHosts: string;
  readonly loadedImages: string;
  readonly localPath: string;
}

export function layoutOf(dataDirectory: string, runDirectory: string): Layout {
  const data = (...parts: string[]) => join(dataDirectory, ...parts);
  return {
    dataDirectory,
    runDirectory,
    clusterFile: data("cluster.json"),
    ledgerFile: data("ledger.jsonl"),
    hostStateFile: data("host-before.json"),
    kubeconfig: data("kubeconfig"),
    pki: data("pki"),
    logs: data("logs"),
    bin: data("bin"),
    pauseArchive: data("images", "pause.tar"),
    serverConfig: data("server", "config.json"),
    serverData: data("server", "store"),
    serverPid: join(runDirectory, "server.pid"),
    hollowConfig: data("hollow", "config.json"),
    hollowKubeconfig: data("hollow", "kubeconfig"),
    hollowPid: join(runDirectory, "hollow.pid"),
    node: (name) => nodeLayout(data("nodes", name), join(runDirectory, name)),
  };
}

function nodeLayout(directory: string, runDirectory: string): NodeLayout {
  return {
    directory,
    runDirectory,
    agentConfig: join(directory, "agent.json"),
    agentKubeconfig: join(directory, "kubeconfig"),
    agentPid: join(runDirectory, "agent.pid"),
    kubelet: join(directory, "kubelet"),
    manifests: join(directory, "manifests"),
    podLogs: join(directory, "pod-logs"),
    containerdConfig: join(directory, "containerd.toml"),
    containerdRoot: join(directory, "containerd"),
    containerdState: join(runDirectory, "containerd"),
    containerdSocket: join(runDirectory, "containerd.sock"),
    containerdPid: join(runDirectory, "containerd.pid"),
    cniConfig: join(directory, "cni", "net.d"),
    cniLimitedConfig: join(directory, "cni", "limited.d"),
    cniState: join(directory, "cni", "state"),
    registryHosts: join(directory, "registries"),
    loadedImages: join(directory, "loaded-images.json"),
    localPath: join(directory, "local-path"),
  };
}
