// containerd's configuration for one node: everything private to it, nothing shared with a containerd of the distribution.
import type { NodeSpec } from "../config/cluster.ts";
import type { NodeLayout } from "../config/layout.ts";

export const PAUSE_IMAGE = "registry.k8s.io/pause:k8ts";
/** Where Debian's containernetworking-plugins puts them. */
export const CNI_BIN_DIRECTORY = "/usr/lib/cni";
/** The network's name in CNI's own records of it. */
const CNI_NETWORK = "k8ts";
const RUNTIME_HANDLER = "runc";
const LIMITED_HANDLER = "runc-limited";
/**
 * Which runtime handler limits the bandwidth of pods: their network takes a CNI plug-in more, a process that the start of
 * all other pods would wait for.
 */
export const BANDWIDTH_HANDLERS: ReadonlyMap<string, string> = new Map([
  ["", LIMITED_HANDLER],
  [RUNTIME_HANDLER, LIMITED_HANDLER],
]);

export interface ContainerdOptions {
  readonly node: NodeSpec;
  readonly layout: NodeLayout;
  /** Whether negative OOM scores can be set; without CAP_SYS_RESOURCE they cannot. */
  readonly canLowerOomScore: boolean;
}

/** The TOML text, version 2 of the format: containerd 1.6 to 2.x read it. */
export function renderContainerdConfig({ node, layout, canLowerOomScore }: ContainerdOptions): string {
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return `version = 2
root = ${quote(layout.containerdRoot)}
state = ${quote(layout.containerdState)}
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
  address = ${quote(layout.containerdSocket)}

[debug]
  address = ""
  level = "warn"

[cgroup]
  path = ${quote(`${node.cgroupRoot}/runtime`)}

[${cri}]
  sandbox_image = ${quote(PAUSE_IMAGE)}
  restrict_oom_score_adj = ${!canLowerOomScore}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  disable_hugetlb_controller = false
  tolerate_missing_hugetlb_controller = true
  max_concurrent_downloads = 8

  [${cri}.cni]
    bin_dir = ${quote(CNI_BIN_DIRECTORY)}
    conf_dir = ${quote(layout.cniConfig)}

  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = ${quote(RUNTIME_HANDLER)}
${renderRuntime(RUNTIME_HANDLER, layout)}
${renderRuntime(LIMITED_HANDLER, layout, layout.cniLimitedConfig)}

  [${cri}.registry]
    config_path = ${quote(layout.registryHosts)}
`;
}

function renderRuntime(name: string, { runDirectory }: NodeLayout, cniConfig?: string): string {
  const runtime = `plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}`;
  return `
    [${runtime}]
      runtime_type = "io.containerd.runc.v2"${cniConfig === undefined ? "" : `\n      cni_conf_dir = ${quote(cniConfig)}`}

      [${runtime}.options]
        SystemdCgroup = false
        Root = ${quote(`${runDirectory}/runc`)}`;
}

export interface CniOptions {
  /** One for each IP family. */
  readonly podCidrs: readonly string[];
  readonly stateDirectory: string;
  readonly mtu: number;
  /** For pods that ask for it by the annotations kubernetes.io/ingress-bandwidth and egress-bandwidth. */
  readonly limitsBandwidth: boolean;
}

/**
 * A point-to-point link for each pod, its address from the node's range. The proxy leads host ports to pods and masquerades what leaves the cluster;
 * masquerading here would hide pods from each other across nodes.
 */
export function renderCniConfig(options: CniOptions): string {
  const ptp = {
    type: "ptp",
    ipMasq: false,
    mtu: options.mtu,
    ipam: {
      type: "host-local",
      dataDir: options.stateDirectory,
      ranges: options.podCidrs.map((subnet) => [{ subnet }]),
      routes: options.podCidrs.map((subnet) => ({ dst: subnet.includes(":") ? "::/0" : "0.0.0.0/0" })),
    },
  };
  const plugins = [ptp, ...(options.limitsBandwidth ? [{ type: "bandwidth", capabilities: { bandwidth: true } }] : [])];
  return `${JSON.stringify({ cniVersion: "0.4.0", name: CNI_NETWORK, plugins }, undefined, 2)}\n`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
