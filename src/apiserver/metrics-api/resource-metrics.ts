// Reads the text of a kubelet's `/metrics/resource`: Prometheus' exposition format, of which it uses a small part.
import { containerKey, type NodeUsage, type UsageSample } from "./usage.ts";

/** `name{labels} value timestamp` */
const linePattern = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?$/;
const labelPattern = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

type Field = "cpuSeconds" | "memoryBytes";
const fields: Readonly<Record<string, { readonly of: "node" | "container"; readonly field: Field }>> = {
  node_cpu_usage_seconds_total: { of: "node", field: "cpuSeconds" },
  node_memory_working_set_bytes: { of: "node", field: "memoryBytes" },
  container_cpu_usage_seconds_total: { of: "container", field: "cpuSeconds" },
  container_memory_working_set_bytes: { of: "container", field: "memoryBytes" },
};

/** Samples that lack CPU or memory are left out; `nowMs` stands in for a missing timestamp. */
export function parseResourceMetrics(text: string, nowMs: number): NodeUsage {
  const found = new Map<string, Partial<UsageSample>>();
  for (const line of text.split("\n")) {
    const [, name = "", labels = "", value = "", time] = line.startsWith("#") ? [] : (linePattern.exec(line) ?? []);
    const target = fields[name];
    const number = Number(value);
    if (target === undefined || !Number.isFinite(number)) continue;
    const key = target.of === "node" ? "" : keyOf(labels);
    // The sample is as old as its CPU counter, of which rates are made.
    const isCounter = target.field === "cpuSeconds";
    const timestampMs = isCounter ? { timestampMs: time === undefined ? nowMs : Number(time) } : {};
    found.set(key, { ...found.get(key), ...timestampMs, [target.field]: number });
  }
  const complete = [...found].filter((entry): entry is [string, UsageSample] => isComplete(entry[1]));
  const samples = new Map(complete);
  const node = samples.get("");
  samples.delete("");
  return { node, containers: samples };
}

function isComplete({ timestampMs, cpuSeconds, memoryBytes }: Partial<UsageSample>): boolean {
  return timestampMs !== undefined && cpuSeconds !== undefined && memoryBytes !== undefined;
}

function keyOf(labels: string): string {
  const values = new Map([...labels.matchAll(labelPattern)].map(([, name = "", value = ""]) => [name, unescaped(value)]));
  return containerKey(values.get("namespace") ?? "", values.get("pod") ?? "", values.get("container") ?? "");
}

function unescaped(value: string): string {
  return value.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}
