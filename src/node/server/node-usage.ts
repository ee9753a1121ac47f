// What the whole machine uses, from /proc.
import { readFile } from "node:fs/promises";
import type { Clock } from "../../base/index.ts";
import type { UsageSample } from "./stats-summary.ts";

/** /proc/stat counts in hundredths of a second on every Linux that Node runs on. */
const NANOSECONDS_PER_TICK = 1e7;

export async function hostUsage(clock: Pick<Clock, "now">): Promise<UsageSample> {
  const [stat, meminfo] = await Promise.all([readFile("/proc/stat", "utf8"), readFile("/proc/meminfo", "utf8")]);
  return { timestampMs: clock.now(), ...parseUsage(stat, meminfo) };
}

/** CPU without idle and iowait; memory without what the kernel could free at once. */
export function parseUsage(stat: string, meminfo: string): Omit<UsageSample, "timestampMs"> {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (stat.split("\n")[0] ?? "")
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? 0);
  return {
    cpuUsageCoreNanoSeconds: (user + nice + system + irq + softirq + steal) * NANOSECONDS_PER_TICK,
    memoryWorkingSetBytes: (kibibytes("MemTotal") - kibibytes("MemAvailable")) * 1_024,
  };
}
