// What every part of the node agent is given: the outside world, and the node's own facts.
import type { ObjectReference, Service } from "../api/types/core/v1.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { Client, Lister } from "../client/index.ts";
import type { CgroupManager } from "./cgroups/cgroup-manager.ts";
import type { NodeFiles } from "./files.ts";
import type { ImagePuller } from "./images/image-puller.ts";
import type { PullRecords } from "./images/pull-records.ts";
import type { ObjectCache } from "./object-cache.ts";
import type { ProbeCounts } from "./probes/probe-counts.ts";
import type { Prober } from "./probes/prober.ts";
import type { Runtime, RuntimeStatus } from "./runtime/runtime.ts";
import type { ContentFollower } from "./volumes/content-follower.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

/** Where events go; the client's recorder aggregates and limits them. */
export interface EventSink {
  event(about: ObjectReference, type: "Normal" | "Warning", reason: string, message: string): void;
}

export interface NodeContext {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly volumes: VolumeManager;
  readonly prober: Prober;
  readonly probeCounts: ProbeCounts;
  readonly cgroups: CgroupManager;
  readonly files: NodeFiles;
  readonly events: EventSink;
  readonly objects: ObjectCache;
  readonly images: ImagePuller;
  readonly pullRecords: PullRecords;
  /** Follows what volumes show; absent where nobody reads volumes. */
  readonly content: ContentFollower | undefined;
  readonly services: Lister<Service>;
  /** Resolves when `services` has the server's: containers must not start without their variables. */
  readonly servicesSynced: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  /** One per family, the first is the primary. */
  readonly nodeIps: readonly string[];
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** Holds `pods/<uid>/`. */
  readonly rootDir: string;
  /** Holds `<namespace>_<name>_<uid>/<container>/<attempt>.log`. */
  readonly logDir: string;
  readonly resolvConf: string;
  /** The runtime handlers that limit the bandwidth of pods, by those that do not. */
  readonly bandwidthHandlers?: ReadonlyMap<string, string>;
  readonly memoryBytes: number;
  /** What the runtime last said of itself; undefined before it has. */
  readonly runtimeStatus: () => RuntimeStatus | undefined;
}

/** The directory of all that the node keeps for a pod. */
export function podDir(context: Pick<NodeContext, "rootDir">, uid: string): string {
  return `${context.rootDir}/pods/${uid}`;
}
