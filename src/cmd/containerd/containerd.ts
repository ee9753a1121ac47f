// One node's containerd: its files, its start, and what its presence means for the ledger.
import { join } from "node:path";
import type { Clock } from "../../base/index.ts";
import type { NodeSpec } from "../config/cluster.ts";
import type { NodeLayout } from "../config/layout.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { inNamespace } from "../network/node-network.ts";
import { makePrivateDirectory, writePrivate } from "../system/files.ts";
import { DaemonError, isAlive, readPidFile, startDaemon } from "../system/processes.ts";
import { canConnect, poll } from "../system/wait.ts";
import { PAUSE_IMAGE, renderCniConfig, renderContainerdConfig } from "./config.ts";
import { hasImage, importArchive } from "./images.ts";
import { type Registries, renderDockerConfig, renderHosts } from "./registries.ts";

export interface ContainerdStart {
  readonly node: NodeSpec;
  readonly layout: NodeLayout;
  readonly logDirectory: string;
  /** What the host was like before the first `up`. */
  readonly hostStateFile: string;
  readonly pauseArchive: string;
  readonly canLowerOomScore: boolean;
  readonly mtu: number;
  /** Absent: registries are asked themselves, by nobody in particular. */
  readonly registries?: Registries | undefined;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Where CNI's library keeps the results of its calls, each with the path of its namespace, which is below containerd's state. */
const CNI_RESULTS = "/var/lib/cni/results";

/** Starts containerd unless it runs, and resolves when it answers and has the pause image. */
export async function ensureContainerd(start: ContainerdStart): Promise<void> {
  const { node, layout, ledger, clock, signal } = start;
  writeConfiguration(start);
  ledger.record({ type: "files", directory: CNI_RESULTS, containing: `${layout.containerdState}/` });
  // Taken back before the results that name them.
  ledger.record({ type: "bandwidthLinks", results: CNI_RESULTS, containing: `${layout.containerdState}/` });
  ledger.record({ type: "mounts", below: layout.runDirectory });
  ledger.record({ type: "mounts", below: layout.directory });
  ledger.record({ type: "cgroup", path: node.cgroupRoot });
  ledger.record({ type: "shims", address: layout.containerdSocket, hostStateFile: start.hostStateFile });
  ledger.record({ type: "process", pidFile: layout.containerdPid, argument: layout.containerdConfig });
  const logFile = join(start.logDirectory, `containerd-${node.name}.log`);
  const identity =
    readPidFile(layout.containerdPid) ??
    startDaemon({
      command: inNamespace(node, ["containerd", "--config", layout.containerdConfig]),
      pidFile: layout.containerdPid,
      logFile,
    });
  await poll(
    async () => {
      if (!isAlive(identity)) throw new DaemonError(`containerd of ${node.name} ended at once; its log ${logFile} says why`);
      return (await canConnect(layout.containerdSocket)) ? true : undefined;
    },
    { clock, signal },
  );
  if (!(await hasImage(layout.containerdSocket, PAUSE_IMAGE))) await importArchive(layout.containerdSocket, start.pauseArchive, signal);
}

function writeConfiguration({ node, layout, canLowerOomScore, mtu, registries }: ContainerdStart): void {
  writePrivate(layout.containerdConfig, renderContainerdConfig({ node, layout, canLowerOomScore }));
  const podCidrs = [node.podCidr, ...(node.ipv6 === undefined ? [] : [node.ipv6.podCidr])];
  const network = { podCidrs, stateDirectory: layout.cniState, mtu };
  writePrivate(join(layout.cniConfig, "10-k8ts.conflist"), renderCniConfig({ ...network, limitsBandwidth: false }));
  writePrivate(join(layout.cniLimitedConfig, "10-k8ts.conflist"), renderCniConfig({ ...network, limitsBandwidth: true }));
  for (const directory of [layout.runDirectory, layout.registryHosts, layout.kubelet, layout.manifests, layout.podLogs])
    makePrivateDirectory(directory);
  if (registries !== undefined) writeRegistries(layout, registries);
}

/** containerd and the agent read these files anew for each pull. */
function writeRegistries(layout: NodeLayout, registries: Registries): void {
  for (const [registry, text] of renderHosts(registries)) writePrivate(join(layout.registryHosts, registry, "hosts.toml"), text);
  writePrivate(join(layout.kubelet, "config.json"), renderDockerConfig(registries));
}
