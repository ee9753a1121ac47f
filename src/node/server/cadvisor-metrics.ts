// `/metrics/cadvisor`: what each container and the machine use, under the names that dashboards know.
import type { ContainerUsage } from "../runtime/runtime.ts";
import { Exposition, type Sample } from "./exposition.ts";
import type { UsageReport } from "./stats-summary.ts";

export interface MachineSize {
  readonly cpus: number;
  readonly memoryBytes: number;
}

export function cadvisorMetrics({ containers, pods }: UsageReport, machine: MachineSize): string {
  const byUid = new Map(pods.map((pod) => [pod.metadata.uid, pod]));
  const samples = (value: (usage: ContainerUsage) => number | undefined) =>
    containers.flatMap((usage): Sample[] => {
      const pod = byUid.get(usage.podUid);
      const amount = value(usage);
      if (pod === undefined || amount === undefined) return [];
      const { name = "", namespace = "" } = pod.metadata;
      const image = pod.spec?.containers.find((spec) => spec.name === usage.containerName)?.image ?? "";
      return [[{ container: usage.containerName, id: usage.containerId, image, namespace, pod: name }, amount, usage.timestampMs]];
    });
  return new Exposition()
    .family(
      "container_cpu_usage_seconds_total",
      "counter",
      samples(({ cpuUsageCoreNanoSeconds }) => cpuUsageCoreNanoSeconds / 1e9),
    )
    .family(
      "container_memory_working_set_bytes",
      "gauge",
      samples(({ memoryWorkingSetBytes }) => memoryWorkingSetBytes),
    )
    .family(
      "container_memory_usage_bytes",
      "gauge",
      samples(({ memoryUsageBytes }) => memoryUsageBytes),
    )
    .family(
      "container_memory_rss",
      "gauge",
      samples(({ memoryRssBytes }) => memoryRssBytes),
    )
    .family(
      "container_fs_usage_bytes",
      "gauge",
      samples(({ writableLayerBytes }) => writableLayerBytes),
    )
    .family("machine_cpu_cores", "gauge", [[{}, machine.cpus]])
    .family("machine_memory_bytes", "gauge", [[{}, machine.memoryBytes]])
    .toString();
}
