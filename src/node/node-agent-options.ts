// What a node agent is made of.
import type { Taint } from "../api/types/core/v1.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { Client, InformerSource } from "../client/index.ts";
import type { DeepReadonly } from "../machinery/index.ts";
import type { CgroupManager } from "./cgroups/cgroup-manager.ts";
import type { NodeFiles } from "./files.ts";
import type { HousekeepingConfig } from "./housekeeping.ts";
import type { IsLoaded } from "./images/image-puller.ts";
import type { PullVerification } from "./images/pull-records.ts";
import type { FileWatcher } from "./logs/file-watcher.ts";
import type { EventSink } from "./node-context.ts";
import type { ObjectCache } from "./object-cache.ts";
import type { ProbeCounts } from "./probes/probe-counts.ts";
import type { Prober } from "./probes/prober.ts";
import type { MachineInfo } from "./registration/node-facts.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { ShutdownPeriod } from "./shutdown/plan.ts";
import type { ContentSource } from "./volumes/content-source.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

export interface NodeAgentOptions {
  /** Speaks as `system:node:<nodeName>`. */
  readonly client: Client;
  /** Default: informers of the agent's own over `client`. */
  readonly informers?: InformerSource;
  readonly runtime: Runtime;
  readonly volumes: VolumeManager;
  readonly prober: Prober;
  /** Shared with the kubelet server. Default: the agent's own. */
  readonly probeCounts?: ProbeCounts;
  /** Default: none. */
  readonly cgroups?: CgroupManager;
  readonly files: NodeFiles;
  /** Whether containers read their volumes, so that changes must reach them at once. Default: they do not. */
  readonly followsContent?: boolean;
  /** Those of the volume manager that learn of changes by themselves. */
  readonly contentSources?: readonly ContentSource[];
  /** Default: the client's recorder with component `kubelet`. */
  readonly events?: EventSink;
  /** Shared with the volume manager. Default: one of the agent's own. */
  readonly objects?: ObjectCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  /** One per family, the primary first. */
  readonly nodeIps: readonly string[];
  readonly podCidrs?: readonly string[];
  readonly kubeletPort: number;
  readonly machine: MachineInfo;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** Default `/var/lib/kubelet`. */
  readonly rootDir?: string;
  /** Where manifests of static pods are put. Default: nowhere. */
  readonly manifestDirectory?: string;
  /** Default: inotify. */
  readonly watcher?: FileWatcher;
  /** Default `/var/log/pods`. */
  readonly logDir?: string;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConf?: string;
  /** The runtime handlers that limit the bandwidth of pods, by those that do not. Default: all do, or none can. */
  readonly bandwidthHandlers?: ReadonlyMap<string, string>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints?: DeepReadonly<Taint[]>;
  /** Whether an image was put on this node by hand: such a one is not pulled, whatever the policy. Default: none was. */
  readonly isImageLoaded?: IsLoaded;
  /** Default: images that nobody of this node pulled are for all pods. */
  readonly pullVerification?: PullVerification;
  /** Eviction and image collection. Default: none. */
  readonly housekeeping?: HousekeepingConfig;
  /** How long pods may take when the machine is shut down, sorted by priority. Default: none, they are left to the machine. */
  readonly shutdownPeriods?: readonly ShutdownPeriod[];
  /** Default 110. */
  readonly maxPods?: number;
  /** What is kept back from pods: cpu in CPUs, all else in bytes. */
  readonly reserved?: Readonly<Record<string, number>>;
}
