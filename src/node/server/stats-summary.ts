// The node's `/stats/summary` and `/metrics/resource`, from the runtime's numbers.
import type { Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { PodUse } from "../eviction/rank.ts";
import type { ContainerUsage } from "../runtime/runtime.ts";
import { Exposition, type Sample } from "./exposition.ts";

/** What something has used: CPU since its start, memory now. */
export interface UsageSample {
  readonly timestampMs: number;
  readonly cpuUsageCoreNanoSeconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes?: number | undefined;
  readonly memoryRssBytes?: number | undefined;
  readonly memoryAvailableBytes?: number | undefined;
}

export interface UsageReport {
  readonly nodeName: string;
  readonly node: UsageSample;
  readonly containers: readonly ContainerUsage[];
  readonly pods: readonly DeepReadonly<Pod>[];
  /** File systems and processes, where someone measures them. */
  readonly disks?: DiskReport;
}

/** What a file system has and what something uses of it. */
export interface FileSystemUsage {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes?: number;
  readonly inodesFree?: number;
}

export interface DiskReport {
  readonly timestampMs: number;
  readonly node: FileSystemUsage;
  readonly images: FileSystemUsage;
  readonly processes: { readonly max: number; readonly current: number };
  /** By pod uid. */
  readonly pods: ReadonlyMap<string, PodUse>;
}

interface SampleView {
  readonly cpu: { readonly time: string; readonly usageNanoCores?: number; readonly usageCoreNanoSeconds: number };
  readonly memory: {
    readonly time: string;
    readonly workingSetBytes: number;
    readonly usageBytes?: number | undefined;
    readonly rssBytes?: number | undefined;
    readonly availableBytes?: number | undefined;
  };
}

/** Makes summaries; remembers the last samples, because a rate needs two. */
export class StatsSummary {
  #last = new Map<string, UsageSample>();

  summary(report: UsageReport): object {
    const seen = new Map<string, UsageSample>();
    const view = (key: string, sample: UsageSample): SampleView => {
      seen.set(key, sample);
      return sampleView(sample, this.#last.get(key));
    };
    const node = { nodeName: report.nodeName, ...view("", report.node), ...nodeDisks(report.disks) };
    const pods = podsOf(report).map(({ pod, containers }) => ({
      podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      startTime: pod.status?.startTime ?? null,
      containers: containers.map((usage) => ({
        name: usage.containerName,
        ...view(usage.containerId, usage),
        ...containerDisks(report.disks, usage),
      })),
      ...view(pod.metadata.uid ?? "", sum(containers)),
      ...podDisks(report.disks, pod.metadata.uid ?? ""),
    }));
    this.#last = seen;
    return { node, pods };
  }
}

/** The metrics that metrics-server reads, in Prometheus' text format. */
export function resourceMetrics(report: UsageReport): string {
  const { node } = report;
  const pods = podsOf(report);
  const labelsOf = (pod: DeepReadonly<Pod>) => ({ namespace: pod.metadata.namespace ?? "", pod: pod.metadata.name ?? "" });
  const perContainer = (value: (usage: UsageSample) => number) =>
    pods.flatMap(({ pod, containers }) =>
      containers.map((usage): Sample => [{ container: usage.containerName, ...labelsOf(pod) }, value(usage), usage.timestampMs]),
    );
  const perPod = (value: (usage: UsageSample) => number) =>
    pods.map(({ pod, containers }): Sample => [labelsOf(pod), value(sum(containers)), sum(containers).timestampMs]);
  const cpu = (usage: UsageSample) => usage.cpuUsageCoreNanoSeconds / 1e9;
  const memory = (usage: UsageSample) => usage.memoryWorkingSetBytes;
  return new Exposition()
    .family("node_cpu_usage_seconds_total", "counter", [[{}, cpu(node), node.timestampMs]])
    .family("node_memory_working_set_bytes", "gauge", [[{}, memory(node), node.timestampMs]])
    .family("container_cpu_usage_seconds_total", "counter", perContainer(cpu))
    .family("container_memory_working_set_bytes", "gauge", perContainer(memory))
    .family("pod_cpu_usage_seconds_total", "counter", perPod(cpu))
    .family("pod_memory_working_set_bytes", "gauge", perPod(memory))
    .toString();
}

/** Pods that have running containers. */
function podsOf({
  pods,
  containers,
}: UsageReport): readonly { readonly pod: DeepReadonly<Pod>; readonly containers: readonly ContainerUsage[] }[] {
  const byUid = Map.groupBy(containers, ({ podUid }) => podUid);
  return pods.flatMap((pod) => {
    const own = byUid.get(pod.metadata.uid ?? "");
    return own === undefined ? [] : [{ pod, containers: own }];
  });
}

function sum(samples: readonly UsageSample[]): UsageSample {
  return {
    timestampMs: Math.max(...samples.map(({ timestampMs }) => timestampMs)),
    cpuUsageCoreNanoSeconds: samples.reduce((total, sample) => total + sample.cpuUsageCoreNanoSeconds, 0),
    memoryWorkingSetBytes: samples.reduce((total, sample) => total + sample.memoryWorkingSetBytes, 0),
  };
}

function sampleView(sample: UsageSample, last: UsageSample | undefined): SampleView {
  const time = formatTime(sample.timestampMs);
  const elapsedMs = last === undefined ? 0 : sample.timestampMs - last.timestampMs;
  const used = sample.cpuUsageCoreNanoSeconds - (last?.cpuUsageCoreNanoSeconds ?? 0);
  const rate = elapsedMs > 0 && used >= 0 ? { usageNanoCores: Math.round((used / elapsedMs) * 1_000) } : {};
  return {
    cpu: { time, ...rate, usageCoreNanoSeconds: sample.cpuUsageCoreNanoSeconds },
    memory: {
      time,
      workingSetBytes: sample.memoryWorkingSetBytes,
      ...defined({ usageBytes: sample.memoryUsageBytes, rssBytes: sample.memoryRssBytes, availableBytes: sample.memoryAvailableBytes }),
    },
  };
}

function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function nodeDisks(disks: DiskReport | undefined): object {
  if (disks === undefined) return {};
  const time = formatTime(disks.timestampMs);
  const { max, current } = disks.processes;
  return {
    fs: { time, ...disks.node },
    runtime: { imageFs: { time, ...disks.images }, containerFs: { time, ...disks.images } },
    rlimit: { time, maxpid: max, curproc: current },
  };
}

function containerDisks(disks: DiskReport | undefined, usage: ContainerUsage): object {
  if (disks === undefined) return {};
  const time = formatTime(disks.timestampMs);
  const logs = disks.pods.get(usage.podUid)?.containers.find(({ name }) => name === usage.containerName)?.logBytes ?? 0;
  return {
    rootfs: { time, ...disks.images, usedBytes: usage.writableLayerBytes ?? 0 },
    logs: { time, ...disks.node, usedBytes: logs },
  };
}

function podDisks(disks: DiskReport | undefined, uid: string): object {
  const use = disks?.pods.get(uid);
  if (disks === undefined || use === undefined) return {};
  const time = formatTime(disks.timestampMs);
  return {
    "ephemeral-storage": { time, ...disks.node, usedBytes: use.diskBytes },
    volume: [...use.emptyDirBytes].map(([name, usedBytes]) => ({ time, name, ...disks.node, usedBytes })),
  };
}
