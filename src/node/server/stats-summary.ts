// The node's `/stats/summary` and `/metrics/resource`, from the runtime's numbers.
import type { Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { ContainerUsage } from "../runtime/runtime.ts";

/** What something has used: CPU since its start, memory now. */
export interface UsageSample {
  readonly timestampMs: number;
  readonly cpuUsageCoreNanoSeconds: number;
  readonly memoryWorkingSetBytes: number;
}

export interface UsageReport {
  readonly nodeName: string;
  readonly node: UsageSample;
  readonly containers: readonly ContainerUsage[];
  readonly pods: readonly DeepReadonly<Pod>[];
}

interface SampleView {
  readonly cpu: { readonly time: string; readonly usageNanoCores?: number; readonly usageCoreNanoSeconds: number };
  readonly memory: { readonly time: string; readonly workingSetBytes: number };
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
    const node = { nodeName: report.nodeName, ...view("", report.node) };
    const pods = podsOf(report).map(({ pod, containers }) => ({
      podRef: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      startTime: pod.status?.startTime ?? null,
      containers: containers.map((usage) => ({ name: usage.containerName, ...view(usage.containerId, usage) })),
      ...view(pod.metadata.uid ?? "", sum(containers)),
    }));
    this.#last = seen;
    return { node, pods };
  }
}

/** The metrics that metrics-server reads, in Prometheus' text format. */
export function resourceMetrics(report: UsageReport): string {
  const lines: string[] = [];
  const family = (name: string, type: string, samples: readonly (readonly [labels: string, value: number, timestampMs: number])[]) => {
    lines.push(`# TYPE ${name} ${type}`, ...samples.map(([labels, value, timestampMs]) => `${name}${labels} ${value} ${timestampMs}`));
  };
  const { node } = report;
  family("node_cpu_usage_seconds_total", "counter", [["", node.cpuUsageCoreNanoSeconds / 1e9, node.timestampMs]]);
  family("node_memory_working_set_bytes", "gauge", [["", node.memoryWorkingSetBytes, node.timestampMs]]);
  const pods = podsOf(report);
  const labelsOf = (pod: DeepReadonly<Pod>) => `namespace="${pod.metadata.namespace}",pod="${pod.metadata.name}"`;
  const perContainer = (value: (usage: UsageSample) => number) =>
    pods.flatMap(({ pod, containers }) =>
      containers.map((usage) => [`{container="${usage.containerName}",${labelsOf(pod)}}`, value(usage), usage.timestampMs] as const),
    );
  const perPod = (value: (usage: UsageSample) => number) =>
    pods.map(({ pod, containers }) => [`{${labelsOf(pod)}}`, value(sum(containers)), sum(containers).timestampMs] as const);
  const cpu = (usage: UsageSample) => usage.cpuUsageCoreNanoSeconds / 1e9;
  const memory = (usage: UsageSample) => usage.memoryWorkingSetBytes;
  family("container_cpu_usage_seconds_total", "counter", perContainer(cpu));
  family("container_memory_working_set_bytes", "gauge", perContainer(memory));
  family("pod_cpu_usage_seconds_total", "counter", perPod(cpu));
  family("pod_memory_working_set_bytes", "gauge", perPod(memory));
  return `${lines.join("\n")}\n`;
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
    memory: { time, workingSetBytes: sample.memoryWorkingSetBytes },
  };
}
